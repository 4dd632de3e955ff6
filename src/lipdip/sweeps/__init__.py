"""Many runs from one command: who does which, how each went, and what is shown meanwhile."""
