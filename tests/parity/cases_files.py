"""The files of runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from case import Cases, Read, Write

NAMES = ["a.txt", "sub/b.bin"]


def some(api: Any) -> Any:
    return api.run("lab/run-0").files(NAMES)


def downloaded(api: Any, name: str, **options: Any) -> list[Any]:
    """What the open file gives, and where the file is then."""
    # The official client's sidecar has a working folder of its own: a folder in it is not where we look.
    root = str(Path(options.pop("root", ".")).absolute())
    with api.run("lab/run-0").file(name).download(root, **options) as file:
        content = file.read()
    return [content, file.mode, sorted(str(path) for path in Path().rglob("*") if path.is_file())]


def again(api: Any, first: dict[str, Any], second: dict[str, Any]) -> list[Any]:
    """A download where the file is there already, changed."""
    file = api.run("lab/run-0").file("a.txt")
    here = str(Path.cwd())
    file.download(here, **first).close()
    Path("a.txt").write_text("changed")
    with file.download(here, **second) as found:
        return [found.read(), found.mode, found.name.endswith("a.txt")]


def uploaded(api: Any, project: str) -> None:
    run = api.create_run(run_id="r", project=project)
    Path("deep/er").mkdir(parents=True, exist_ok=True)
    Path("deep/er/größe.txt").write_text("one")
    run.upload_file("deep/er/größe.txt")
    run.upload_file("deep/er/größe.txt", root="deep")


def deleted(api: Any, project: str) -> None:
    uploaded(api, project)
    api.run(f"{project}/r").file("er/größe.txt").delete()
    [file] = list(api.runs(project)[0].files())
    Path("deep/x.txt").write_text("x")
    api.run(f"{project}/r").upload_file("deep/x.txt", root="deep")
    file.delete()


def content(api: Any, project: str) -> list[Any]:
    found = []
    for file in sorted(api.run(f"{project}/r").files(), key=lambda file: file.name):
        with file.download(str(Path.cwd()), replace=True) as handle:
            found.append([file.name, file.size, file.md5, handle.read()])
    return found


CASES: Cases = {
    "Run.files": {
        "all": Read(lambda api: api.run("lab/run-0").files()),
        "some by name": Read(some),
        "names that are not there": Read(lambda api: list(api.run("lab/run-0").files(["nothing", "a.txt"]))),
        "by pattern": Read(lambda api: api.run("lab/run-0").files(pattern="sub/%")),
        "by pattern of one character": Read(lambda api: api.run("lab/run-0").files(pattern="_.txt")),
        "by names and pattern": Read(lambda api: api.run("lab/run-0").files(["a.txt"], "%.txt")),
        "in pages": Read(lambda api: [file.name for file in api.run("lab/run-0").files(per_page=1)]),
        "of a run without": Read(lambda api: list(api.run("lab/running").files())),
        "of a run in a listing": Read(lambda api: api.runs("lab", {"name": "run-0"})[0].files(NAMES)),
        "media": Read(lambda api: api.run("parity/lr-0.1").files(pattern="media/%")),
    },
    "Run.file": {
        "one": Read(lambda api: api.run("lab/run-0").file("a.txt")),
        "that is not there": Read(lambda api: api.run("lab/run-0").file("nothing")),
        "without a name": Read(lambda api: api.run("lab/running").file("")),
    },
    "Run.upload_file": {
        "from folders": Write(
            uploaded,
            content,
            [
                ["deep/er/größe.txt", 3, "+XxdKZQb+xsv2rCHSQargg==", "one"],
                ["er/größe.txt", 3, "+XxdKZQb+xsv2rCHSQargg==", "one"],
            ],
        ),
        "that is not there": Read(lambda api: api.run("lab/running").upload_file("nothing.txt")),
    },
    "File.url": {
        "its content": Read(lambda api: downloaded(api, "sub/b.bin")),
        "its place": Read(lambda api: api.run("lab/run-0").file("a.txt").url.partition("/storage/")[0]),
    },
    "File.direct_url": {
        "its place": Read(lambda api: api.run("lab/run-0").file("a.txt").direct_url.partition("/storage/")[0])
    },
    "File.path_uri": {"of no bucket": Read(lambda api: api.run("lab/run-0").file("a.txt").path_uri)},
    "File.download": {
        "here": Read(lambda api: downloaded(api, "a.txt")),
        "there": Read(lambda api: downloaded(api, "sub/b.bin", root="x/y")),
        "twice": Read(lambda api: again(api, {}, {})),
        "twice, replaced": Read(lambda api: again(api, {}, {"replace": True})),
        "twice, kept": Read(lambda api: again(api, {}, {"exist_ok": True})),
        "with a client": Read(lambda api: downloaded(api, "a.txt", api=api)),
    },
    "File.delete": {
        "of a run, and of one in a listing": Write(deleted, content, [["x.txt", 1, "ndTkYSaMgDT1yFZOFVxnpg==", "x"]])
    },
    "File.__repr__": {"sizes": Read(lambda api: [repr(file) for file in some(api)])},
    "Files.__len__": {
        "all of the run": Read(lambda api: [len(api.run("lab/run-0").files()), len(some(api))]),
        "of a run without": Read(lambda api: len(api.run("lab/running").files())),
    },
    "Files.__getitem__": {
        "one and some": Read(lambda api: [some(api)[0].name, [file.name for file in some(api)[0:2]]]),
        "beyond the end": Read(lambda api: some(api)[2]),
    },
    "Files.more": {
        "before and after": Read(lambda api: [(files := some(api)).more, len(list(files)), files.more, repr(files)])
    },
    "Files.cursor": {"before": Read(lambda api: some(api).cursor)},
    "Files.per_page": {
        "as documented": Read(lambda api: [some(api).per_page, api.run("lab/run-0").files(per_page=3).per_page])
    },
}
