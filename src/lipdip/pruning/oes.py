"""OES: learn at initialisation which weights to keep, by gradient descent on a mask over frozen weights."""

import torch
from torch import Tensor, nn

from lipdip.core.check import LARGE, STEPS, number
from lipdip.pruning.context import Context, Loss


class Oes:
    """Score a Bernoulli logit for each weight, learned on the task's own loss with the weights frozen.

    Minimises ``E_m loss(f(z; m * theta_0)) + kl KL(Bernoulli(p) || Bernoulli(density))`` over the logits, with
    ``m`` drawn by the Gumbel-softmax trick; then the exact top k is kept. Source: Ghosh et al., "Optimal Eye Surgeon:
    Finding image priors through sparse generators at initialization", ICML 2024; the defaults are its public settings.

    Args:
        loss: from the network's output to a scalar; that of the task by default.
        z: an input of the network; the task's codes by default.
        steps: of Adam on the logits; the public setting is 60000.
        lr: of Adam.
        temperature: of the Gumbel-softmax.
        kl: weight of the KL term, summed over weights.

    Example:
        >>> from lipdip.pruning.prune import prune
        >>> module, x = torch.nn.Linear(6, 2), torch.ones(1, 6)
        >>> prune(module, Oes(lambda output: output.square().sum(), x, steps=5), keep=0.5).kept
        6
    """

    when = "initialisation"

    def __init__(
        self,
        loss: Loss | None = None,
        z: Tensor | None = None,
        steps: int = 60_000,
        lr: float = 0.01,
        temperature: float = 0.2,
        kl: float = 1e-9,
    ) -> None:
        number("steps", steps, low=1, most=STEPS, whole=True)
        for name, value in {"lr": lr, "temperature": temperature, "kl": kl}.items():
            number(name, value, above=0, most=LARGE)
        self.loss = loss
        self.z = z
        self.steps = steps
        self.lr = lr
        self.temperature = temperature
        self.kl = kl

    def __call__(self, context: Context) -> dict[str, Tensor]:
        """Scores by weight name, each of its weight's shape: the learned logits."""
        context = context.seen_with(self.loss, self.z)
        network, weights = context.copy()
        device = next(iter(weights.values())).device
        generator = torch.Generator(device=device).manual_seed(context.generator.initial_seed())
        prior = torch.tensor(min(max(context.keep / context.mask.total, 1e-6), 1 - 1e-6), device=device)
        # Probability 1/2 for every weight, whatever the density: the KL term and the top k know it.
        logits = {name: nn.Parameter(torch.zeros_like(weight)) for name, weight in weights.items()}
        frozen = {name: weight.detach() for name, weight in weights.items()}
        masked_ones = {id(weight) for weight in weights.values()}  # a tied weight has more than one name
        others = {name: own.detach() for name, own in network.named_parameters() if id(own) not in masked_ones}
        optimizer = torch.optim.Adam(list(logits.values()), lr=self.lr)
        for _ in range(self.steps):
            optimizer.zero_grad()
            drawn = {name: frozen[name] * self._draw(logit, generator) for name, logit in logits.items()}

            def masked(z: Tensor, drawn: dict[str, Tensor] = drawn) -> Tensor:
                output: Tensor = torch.func.functional_call(network, {**others, **drawn}, (z,))
                return output

            fitted = torch.stack([term.loss(masked(term.code)) for term in context.loss_terms]).sum()
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
