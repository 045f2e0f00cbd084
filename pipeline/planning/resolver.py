"""Resolves the key of a node once the output digests of its inputs are known.

Tested in tests/pipeline/planning/test_plan.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeline.errors import PipelineError
from pipeline.keys.code_digest import FIRST_PARTY, CodeReader
from pipeline.keys.fingerprint import Ingredients, class_name
from pipeline.keys.reach import Code
from pipeline.planning.graph import Graph, Node
from pipeline.store.manifest import Input, Manifest
from pipeline.store.provenance import library_versions


class Resolver:
    """Resolves keys; code and external data are read once for a whole graph."""

    def __init__(
        self,
        graph: Graph,
        *,
        packages: tuple[str, ...] = FIRST_PARTY,
        strict_env: bool = False,
        missing_allowed: bool = False,
    ) -> None:
        """Compute the external digest of every stage. Raises PipelineError when a data set is missing.

        With `missing_allowed` the errors are kept in `missing` instead, and such a stage has no ingredients. With
        `strict_env` library versions are part of every key.
        """
        self.missing: dict[str, PipelineError] = {}
        """Errors of stages whose data set is missing, by node id."""

        self._externals: dict[str, str] = {}
        for node in graph.nodes.values():
            try:
                self._externals[node.id] = node.stage.external_digest()
            except PipelineError as error:
                if not missing_allowed:
                    raise
                self.missing[node.id] = error
        self._libraries = library_versions() if strict_env else {}
        self._reader = CodeReader(packages)
        self._codes: dict[frozenset[type], Code] = {}

    def ingredients(self, node: Node, inputs: Mapping[str, Manifest]) -> Ingredients:
        """Everything that the key is computed from; `inputs` are committed results by field path."""
        return Ingredients(
            stage=class_name(type(node.stage)),
            version=type(node.stage).version,
            config=node.description.config,
            code=self._code(node.description.classes),
            external=self._externals[node.id],
            inputs={path: manifest.digest for path, manifest in inputs.items()},
            libraries=self._libraries,
        )

    def draft(self, node: Node, inputs: Mapping[str, Manifest], provenance: Mapping[str, Any]) -> Manifest:
        """The manifest of a result that is yet to be computed."""
        ingredients = self.ingredients(node, inputs)
        return Manifest(
            key=ingredients.key,
            address=node.address,
            variant=node.stage.variant,
            tags=dict(node.stage.tags),
            ingredients=ingredients,
            settings=node.description.settings,
            inputs={path: _named(manifest) for path, manifest in inputs.items()},
            provenance=dict(provenance),
        )

    def _code(self, classes: frozenset[type]) -> Code:
        if classes not in self._codes:
            self._codes[classes] = self._reader.code_of(classes)
        return self._codes[classes]


def _named(manifest: Manifest) -> Input:
    return {"address": manifest.address, "key": manifest.key, "digest": manifest.digest}
