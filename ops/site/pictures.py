"""Makes the pictures of the documentation: `python -m ops.site.pictures`.

It runs `genq demo`, draws its terminal output as SVG, and takes a picture of Flower's page with
headless Chromium. Needs the program `chromium`.
"""

import io
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console
from rich.text import Text

from ops.stack.ports import free_port

PICTURES = Path(__file__).parents[2] / "docs" / "pictures"
COLUMNS, ROWS = 108, 60
#: What `genq demo` prints once every job has ended.
FINISHED = "Ctrl-C"
LONGEST_DEMO_SECONDS = 180
CHROMIUM_OPTIONS = (
    "--headless",
    "--no-sandbox",
    "--hide-scrollbars",
    "--window-size=1500,620",
    "--virtual-time-budget=8000",
)
FONT_FACE = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)
CONTROL = re.compile(r"\x1b\[(\??\d*)([A-Za-z])|\x1b\]8;[^\x1b]*\x1b\\|\r|\n")


def main() -> None:
    """Write `demo.svg` and `flower.png` into `docs/pictures`."""
    chromium = shutil.which("chromium")
    if chromium is None:
        sys.exit("chromium is not installed: apt install chromium")
    PICTURES.mkdir(exist_ok=True)
    flower = f"http://127.0.0.1:{(port := free_port())}"
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "output"
        demo = start_demo(Path(folder), output, port)
        try:
            wait_for(output, demo)
            write_screenshot(chromium, f"{flower}/tasks", PICTURES / "flower.png")
        finally:
            demo.send_signal(signal.SIGINT)
            demo.wait()
        text = output.read_bytes().decode().replace(folder, "").replace(f":{port}", ":5555")
    write_svg(without_links(screen(text)), PICTURES / "demo.svg")


def start_demo(folder: Path, output: Path, flower_port: int) -> subprocess.Popen[bytes]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GENQ_")}
    settings = {
        "COLUMNS": str(COLUMNS),
        "LINES": str(ROWS),
        "FORCE_COLOR": "1",
        "GENQ_DATA_DIR": str(folder / ".genq"),
        "GENQ_API_PORT": "8000",
        "GENQ_FLOWER_PORT": str(flower_port),
    }
    with output.open("wb") as writing:
        return subprocess.Popen(
            [str(Path(sys.prefix) / "bin" / "genq"), "demo"],
            cwd=folder,
            env=kept | settings,
            stdout=writing,
            stderr=subprocess.STDOUT,
        )


def wait_for(output: Path, demo: subprocess.Popen[bytes]) -> None:
    """Returns once the demo has finished its jobs. Raises `RuntimeError` if it does not."""
    give_up_at = time.monotonic() + LONGEST_DEMO_SECONDS
    while FINISHED not in output.read_text():
        if demo.poll() is not None or time.monotonic() > give_up_at:
            raise RuntimeError(f"the demo did not finish:\n{output.read_text()[-2000:]}")
        time.sleep(0.5)


def write_screenshot(chromium: str, url: str, path: Path) -> None:
    subprocess.run(
        [chromium, *CHROMIUM_OPTIONS, f"--screenshot={path}", url], check=True, capture_output=True
    )


def without_links(lines: list[str]) -> list[str]:
    """The lines up to the table of jobs, and those that sum it up: the links between are long."""
    table = line_with("operation and job", lines)
    links = line_with("://", lines, table) - 1
    sums = line_with("exactly once", lines, links)
    end = line_with("verified each", lines, sums)
    return lines[:links] + lines[sums : end + 1]


def line_with(text: str, lines: list[str], start: int = 0) -> int:
    return next(number for number in range(start, len(lines)) if text in lines[number])


def write_svg(lines: list[str], path: Path) -> None:
    console = Console(record=True, width=COLUMNS, file=io.StringIO())
    for line in lines:
        console.print(Text.from_ansi(line), no_wrap=True, crop=True)
    # Rich names web fonts, which a page that is read offline cannot load.
    path.write_text(FONT_FACE.sub("", console.export_svg(title="make demo")))


def screen(output: str) -> list[str]:
    """The lines that a terminal shows at the end: erased and overwritten ones are gone."""
    lines, row, position = [""], 0, 0
    for control in CONTROL.finditer(output + "\n"):
        lines[row] += output[position : control.start()]
        position = control.end()
        match control[0], control[2]:
            case "\n", _:
                row += 1
                lines += [""] if row == len(lines) else []
            case "\r", _:
                pass
            case _, "A":
                row -= 1
            case _, "K":
                lines[row] = ""
            case sequence, "m":
                lines[row] += sequence
            case _:
                pass
    return lines


if __name__ == "__main__":
    main()
