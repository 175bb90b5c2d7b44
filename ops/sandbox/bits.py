"""Writes numbers of any width as bits."""


class BitWriter:
    """Collects bits into bytes; by default the most significant bit comes first."""

    def __init__(self, *, least_significant_first: bool = False) -> None:
        self._bits: list[int] = []
        self._reversed = least_significant_first

    def put(self, number: int, width: int) -> "BitWriter":
        """Add `number` in `width` bits."""
        shifts = range(width) if self._reversed else range(width - 1, -1, -1)
        self._bits += [number >> shift & 1 for shift in shifts]
        return self

    def exp_golomb(self, number: int) -> "BitWriter":
        """Add an unsigned number in H.264's variable-length code."""
        return self.put(number + 1, 2 * (number + 1).bit_length() - 1)

    def align(self) -> "BitWriter":
        """Fill up with zeros to the next whole byte."""
        self._bits += [0] * (-len(self._bits) % 8)
        return self

    def bytes(self) -> bytes:
        """All bytes so far; the last one is filled up with zeros."""
        self.align()
        eights = (self._bits[at : at + 8] for at in range(0, len(self._bits), 8))
        return bytes(self._byte(eight) for eight in eights)

    def _byte(self, bits: list[int]) -> int:
        ordered = reversed(bits) if self._reversed else bits
        return int("".join(map(str, ordered)), 2)
