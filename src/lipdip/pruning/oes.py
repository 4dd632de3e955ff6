"""OES: learn at initialisation which weights to keep, by gradient descent on a mask over frozen weights."""

import torch
from torch import Tensor, nn

from lipdip.pruning.context import Context


class Oes:
    """Score a Bernoulli logit for each weight, learned on the task's own loss with the weights frozen.

    Minimises ``E_m loss(f(z; m * theta_0)) + kl KL(Bernoulli(p) || Bernoulli(density))`` over the logits, with
    ``m`` drawn by the Gumbel-softmax trick; then the exact top k is kept. Source: Ghosh et al., "Optimal Eye Surgeon:
    Finding image priors through sparse generators at initialization", ICML 2024; the defaults are its public settings.

    Args:
        steps: of Adam on the logits; the public setting is 60000.
        lr: of Adam.
        temperature: of the Gumbel-softmax.
        kl: weight of the KL term, summed over weights.
    """

    def __init__(self, steps: int = 60_000, lr: float = 0.01, temperature: float = 0.2, kl: float = 1e-9) -> None:
        if isinstance(steps, bool) or not isinstance(steps, int) or steps < 1:
            raise ValueError(f"steps must be a whole number of at least 1, not {steps!r}")
        for name, value in {"lr": lr, "temperature": temperature, "kl": kl}.items():
            if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < float("inf"):
                raise ValueError(f"{name} must be a positive number, not {value!r}")
        self.steps = steps
        self.lr = lr
        self.temperature = temperature
        self.kl = kl

    def __call__(self, context: Context) -> dict[str, Tensor]:
        """Scores by weight name, each of its weight's shape: the learned logits."""
        network, weights = context.copy()
        device = next(iter(weights.values())).device
        generator = torch.Generator(device=device).manual_seed(context.generator.initial_seed())
        prior = torch.tensor(min(max(context.keep / context.mask.total, 1e-6), 1 - 1e-6), device=device)
        # Probability 1/2 for every weight, whatever the density: the KL term and the top k know it.
        logits = {name: nn.Parameter(torch.zeros_like(weight)) for name, weight in weights.items()}
        frozen = {name: weight.detach() for name, weight in weights.items()}
        others = {name: value.detach() for name, value in network.named_parameters() if name not in frozen}
        optimizer = torch.optim.Adam(list(logits.values()), lr=self.lr)
        for _ in range(self.steps):
            optimizer.zero_grad()
            drawn = {name: frozen[name] * self._draw(logit, generator) for name, logit in logits.items()}

            def masked(z: Tensor, drawn: dict[str, Tensor] = drawn) -> Tensor:
                output: Tensor = torch.func.functional_call(network, {**others, **drawn}, (z,))
                return output

            fitted = torch.stack([fit.loss(masked(fit.code)) for fit in context.fits]).sum()
            divergence = torch.stack([self._divergence(logit, prior) for logit in logits.values()]).sum()
            (fitted + self.kl * divergence).backward()  # type: ignore[no-untyped-call]
            optimizer.step()
        return {name: logit.detach() for name, logit in logits.items()}

    def _draw(self, logit: Tensor, generator: torch.Generator) -> Tensor:
        """A relaxed Bernoulli sample: sigmoid((logit + logistic noise) / temperature)."""
        uniform = torch.rand(logit.shape, generator=generator, device=logit.device).clamp(1e-6, 1 - 1e-6)
        return torch.sigmoid((logit + uniform.log() - (-uniform).log1p()) / self.temperature)

    @staticmethod
    def _divergence(logit: Tensor, prior: Tensor) -> Tensor:
        kept = torch.sigmoid(logit)
        log_kept, log_gone = nn.functional.logsigmoid(logit), nn.functional.logsigmoid(-logit)
        return (kept * (log_kept - prior.log()) + (1 - kept) * (log_gone - (1 - prior).log())).sum()
