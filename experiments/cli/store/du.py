"""`ssdpipe du`: what fills a store.

Tested in tests/experiments/cli/store/test_gc.py.
"""

from __future__ import annotations

import json
from collections import Counter

from experiments.cli.shared.options import JsonOption, StorePlace


def du(place: StorePlace, as_json: JsonOption = False) -> None:
    """Show what fills the store.

    Results by kind of stage, unfinished work and records; the largest first.
    """
    from experiments.cli.shared.printing import columns, note_links, size
    from pipeline.store.garbage import size_of
    from pipeline.store.store import Store

    store = Store.open(place.store)
    note_links(store.folder)
    number, held = Counter[str](), Counter[str]()
    for manifest in store.manifests():
        kind = manifest.address.partition("/")[0]
        number[kind] += 1
        held[kind] += sum(file.size for file in manifest.files)
    results, whole = held.total(), size_of(store.folder, "objects")
    parts = {"unfinished work": "work", "records of runs": "runs", "reports": "reports", "MLflow": "mlflow-artifacts"}
    others = {what: size_of(store.folder, path) for what, path in parts.items() if store.folder.exists(path)}
    if as_json:
        kinds = {kind: {"number": number[kind], "bytes": count} for kind, count in held.most_common()}
        others |= {"attempts without a result": max(whole - results, 0)}
        print(json.dumps({"results": kinds, "others": others, "bytes": size_of(store.folder, "")}, indent=1))
        return
    rows = [(f"results of {kind}", f"{number[kind]:,}", size(held[kind])) for kind, _ in held.most_common()]
    rows += [("attempts without a result", "", size(whole - results))] if whole > results else []
    rows += [(what, "", size(count)) for what, count in others.items()]
    print(columns([("what", "number", "size"), *rows, ("the whole store", "", size(size_of(store.folder, "")))]))
    print("`ssdpipe gc --dry-run` shows what can be deleted")
