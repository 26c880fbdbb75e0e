"""Many problems told at once."""

from crm_metrics.metric import BadInput


class Problems(BadInput):
    """Several things the reader has to put right, told together. `problems` holds each."""

    def __init__(self, text: str, problems: tuple[BadInput, ...], **values: object) -> None:
        super().__init__(text, **values)
        self.problems = problems

    def __str__(self) -> str:
        return "\n".join([super().__str__(), *(f"- {problem}" for problem in self.problems)])


def gathered(text: str, problems: list[BadInput], **values: object) -> Problems:
    """Return one error that opens with `text` and lists `problems`."""
    return Problems(text, tuple(problems), **values)
