"""Run the benchmarks: `python -m benchmarks` measures all and writes docs/speed.md, the README too; options choose."""

import argparse
import os
from pathlib import Path

from . import fits as fits_of_works
from .measure import Finding, Pace, Times, say
from .questions import QUESTIONS
from .questions.startup import cold
from .report import filled, report
from .runners import COLD, RUNNERS, Missing, load
from .runners import USUAL as USUAL_RUNNERS
from .works import USUAL as USUAL_WORKS
from .works import WORKS

ROOT = Path(__file__).parent.parent
PAGE, README = ROOT / "docs" / "speed.md", ROOT / "README.md"
COLD_WORKS = ("mlp", "conv-net", "lm")  # a small network, convolutions, many operations: compilers tell no more apart
QUICK = Pace(seconds=0.1, repeats=2, scale=0.01)


def main(words: list[str] | None = None) -> None:
    options = parsed(words)
    os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")  # a GPU is shared with PyTorch
    pace = QUICK if options.quick else Pace(options.seconds, options.repeats, options.scale)
    questions = options.question or ["fit", "cold", *QUESTIONS]
    works = options.work or list(USUAL_WORKS)
    chosen = options.question or options.work or options.runner or pace != Pace()
    path = options.out or (None if chosen else PAGE)
    fits, singles, times = [], [], {}

    def page() -> str:
        promised = [finding for fit in fits for finding in fits_of_works.findings(fit)]
        return report(fits, times, singles, promised, pace)

    for question in [name for name in ["fit", *QUESTIONS, "cold"] if name in questions]:
        if question == "fit":
            for name in works:
                say(f"fit: {name}")
                fits.append(fits_of_works.measure(name, options.runner or USUAL_RUNNERS, pace))
                if path:  # a work takes minutes
                    path.write_text(page(), encoding="utf-8")
        elif question == "cold":
            times = cold_times(options.work or list(COLD_WORKS), options.runner or list(COLD), pace)
        else:
            say(question)
            singles += QUESTIONS[question](pace)
        if path:  # what a long run has found is there, if it is ended early
            path.write_text(page(), encoding="utf-8")
        if path and path.resolve() == PAGE and question == "fit" and not (options.work or options.runner):
            README.write_text(filled(README.read_text(encoding="utf-8"), fits, pace), encoding="utf-8")
    print(page())
    say_missed(singles + [finding for fit in fits for finding in fits_of_works.findings(fit)])


def parsed(words: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--work", nargs="+", choices=WORKS, help="what is trained; all but large-lm by default")
    parser.add_argument("--runner", nargs="+", choices=RUNNERS, help="who trains; all by default")
    parser.add_argument(
        "--question", nargs="+", choices=["fit", "cold", *QUESTIONS], help="which tables; all by default"
    )
    parser.add_argument("--seconds", type=float, default=Pace.seconds, help="how long one measured fit is at least")
    parser.add_argument("--repeats", type=int, default=Pace.repeats, help="how many measurements of each")
    parser.add_argument("--scale", type=float, default=Pace.scale, help="share of each work's steps in an epoch")
    parser.add_argument(
        "--quick", action="store_true", help="only see that it runs: short, twice, a hundredth of the steps"
    )
    parser.add_argument(
        "--out", type=Path, help="where the tables go; docs/speed.md if nothing was chosen, else nowhere"
    )
    return parser.parse_args(words)


def cold_times(works: list[str], runners: list[str], pace: Pace) -> dict[str, Times]:
    present = []
    for runner in runners:
        try:
            load(runner)
        except Missing as error:
            say(f"cold, without {runner}: {error}")
        else:
            present.append(runner)
    say("cold")
    return cold(works, present, {name: WORKS[name].scaled(pace.scale).steps for name in works}, pace.repeats)


def say_missed(findings: list[Finding]) -> None:
    for finding in findings:
        if finding.holds is False:
            say(f"not reached: {finding.what}: {finding.median:.2f}{finding.unit}, wanted {finding.limit:g}")


if __name__ == "__main__":
    main()
