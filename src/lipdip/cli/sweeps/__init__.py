"""Many runs from one command: which process does which, how each ended, and what is shown meanwhile."""
