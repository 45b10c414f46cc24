"""The convolutional blocks of Basset: sizes, checks, layers. Shapes: B batch, C channels, P positions."""

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor, nn

from zoo.errors import ConfigError
from zoo.nn.configs import check_dropout, check_positive
from zoo.nn.equivariant import StrandsConv
from zoo.nn.maxima import HigherStrand
from zoo.nn.steps import Step

__all__ = ["ConvStackConfig", "StackBlock"]


@dataclass(frozen=True)
class ConvStackConfig:
    """Sizes of convolutional blocks; the defaults are those of the published Basset (Kelley 2016).

    Args:
        filters: channels of each convolution.
        widths: positions that each convolution spans; for the first, bases.
        pools: positions over which the maximum of each block's output is taken; 1 for none.
        padding: `valid`, as published: a convolution of width W leaves W - 1 positions fewer; or `same`: zeros on both
            sides keep them all, for nets of more layers.
        dropout: dropout behind each block; 0 as published.
        pool_first: pool right after the convolution, so that batch normalisation works on pooled values: half as much
            work on a CPU; not as published.
    """

    filters: Sequence[int] = (300, 200, 200)
    widths: Sequence[int] = (19, 11, 7)
    pools: Sequence[int] = (3, 4, 4)
    padding: str = "valid"
    dropout: float = 0.0
    pool_first: bool = False

    def check(self, length: int) -> None:
        """Check sizes before anything is built.

        Raises:
            ConfigError: no such net can be built for sequences of `length` bases.
        """
        filters, widths, pools = len(self.filters), len(self.widths), len(self.pools)
        if not filters == widths == pools or not filters:
            raise ConfigError(f"conv has {filters} filters, {widths} widths and {pools} pools: give one each per block")
        check_positive({f"conv.{name}": getattr(self, name) for name in ("filters", "widths", "pools")})
        check_dropout({"conv.dropout": self.dropout})
        if self.padding not in ("valid", "same"):
            raise ConfigError(f"conv.padding must be valid or same, not {self.padding!r}")
        shortest = 1
        for lost, pool in zip(reversed(self._lost()), reversed(self.pools), strict=True):
            shortest = shortest * pool + lost
        if length < shortest:
            raise ConfigError(f"{length} bases are too few for these convolutions and pools: at least {shortest}")

    def check_equivariant(self, length: int, hidden: bool) -> None:
        """Check that both ends of a sequence, and so both strands, are treated alike.

        Args:
            length: bases of a sequence.
            hidden: whether a dense layer reads all positions that are left.

        Raises:
            ConfigError: they are not.
        """
        for width, lost, pool in zip(self.widths, self._lost(), self.pools, strict=True):
            length -= lost
            if self.padding == "same" and width % 2 == 0:
                raise ConfigError(f"rc_equivariant: the width {width} pads one end more than the other; it must be odd")
            if length % pool:
                raise ConfigError(
                    f"rc_equivariant: the convolution of width {width} gives {length} positions, which its pool of "
                    f"{pool} does not divide; change one"
                )
            length //= pool
        if not hidden and length > 1:
            raise ConfigError(f"rc_equivariant: {length} positions are left; give a hidden layer, or pool all")

    def positions(self, length: int) -> int:
        """Count the positions that are left of `length` bases after all blocks."""
        for lost, pool in zip(self._lost(), self.pools, strict=True):
            length = (length - lost) // pool
        return length

    def _lost(self) -> list[int]:
        """Positions by which each convolution shortens its input."""
        return [0 if self.padding == "same" else width - 1 for width in self.widths]


class StackBlock(nn.Module):
    """Convolution, batch normalisation, ReLU, max-pool: (B, C, 1, P) -> (B, C', 1, P').

    Args:
        conv: a convolution, of which the higher response of the two strands is kept where it is a `StrandsConv`.
        pool: positions over which the maximum is taken.
        dropout: dropout at the end.
        pool_first: pool right after the convolution.
    """

    def __init__(self, conv: nn.Conv2d, pool: int, dropout: float, pool_first: bool) -> None:
        super().__init__()
        self.conv = conv
        self.higher = HigherStrand() if isinstance(conv, StrandsConv) else nn.Identity()
        self.norm = nn.BatchNorm2d(conv.out_channels)
        self.activation = nn.ReLU()
        self.pool = nn.MaxPool2d((1, pool)) if pool > 1 else nn.Identity()
        self.dropout = nn.Dropout(dropout) if dropout else nn.Identity()
        self.pool_first = pool_first

    def steps(self) -> list[Step]:
        """List the layers in the order in which they are applied."""
        inner = [self.higher, self.norm, self.activation]
        return [self.conv, *([self.pool, *inner] if self.pool_first else [*inner, self.pool]), self.dropout]

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, 1, P) -> (B, C', 1, P')."""
        x = self.conv(x)
        if self.pool_first:
            x = self.activation(self.norm(self.higher(self.pool(x))))
        else:
            x = self.pool(self.activation(self.norm(self.higher(x))))
        output: Tensor = self.dropout(x)
        return output
