"""Who acts together as a graph: its connected parts, and the file that Gephi opens."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from xml.sax.saxutils import quoteattr

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

_FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # by XML 1.0


def component_of(ends: np.ndarray, n: int) -> np.ndarray:
    """The connected part [n] of each of `n` nodes, of which the edges `ends` [m, 2] join two each."""
    graph = coo_array((np.ones(len(ends)), (ends[:, 0], ends[:, 1])), shape=(n, n))
    _, part = connected_components(graph, directed=False)
    return part


def components(edges: Sequence[tuple[str, str]]) -> list[list[str]]:
    """The connected parts of the graph of `edges`, the nodes of each in order, the parts by their first node."""
    names = sorted({name for edge in edges for name in edge})
    place = {name: number for number, name in enumerate(names)}
    ends = np.array([(place[a], place[b]) for a, b in edges], dtype=np.int64).reshape(-1, 2)
    parts: dict[int, list[str]] = {}
    for name, part in zip(names, component_of(ends, len(names)).tolist(), strict=True):
        parts.setdefault(part, []).append(name)
    return list(parts.values())


@dataclass(frozen=True)
class Node:
    """A node of the graph; `facts` are columns of Gephi's table of nodes."""

    id: str
    label: str
    facts: Mapping[str, str | int] = field(default_factory=dict)


@dataclass(frozen=True)
class Edge:
    """An undirected edge; `weight` is how often."""

    source: str
    target: str
    weight: int
    kind: str


def gexf(nodes: Sequence[Node], edges: Sequence[Edge]) -> Iterator[str]:
    """The lines of a GEXF 1.3 document; equal nodes and edges give equal lines."""
    names = sorted({name for node in nodes for name in node.facts})
    numbers = {name for node in nodes for name, value in node.facts.items() if isinstance(value, int)}
    yield '<?xml version="1.0" encoding="UTF-8"?>'
    yield '<gexf xmlns="http://gexf.net/1.3" version="1.3">'
    yield '<graph defaultedgetype="undirected">'
    yield '<attributes class="node">'
    for name in names:
        type_ = "integer" if name in numbers else "string"
        yield f'<attribute id={_quoted(name)} title={_quoted(name)} type="{type_}"/>'
    yield "</attributes>"
    yield '<attributes class="edge"><attribute id="kind" title="kind" type="string"/></attributes>'
    yield "<nodes>"
    for node in nodes:
        facts = "".join(
            f"<attvalue for={_quoted(name)} value={_quoted(str(value))}/>" for name, value in sorted(node.facts.items())
        )
        yield f"<node id={_quoted(node.id)} label={_quoted(node.label)}><attvalues>{facts}</attvalues></node>"
    yield "</nodes>"
    yield "<edges>"
    for number, edge in enumerate(edges):
        ends = f"source={_quoted(edge.source)} target={_quoted(edge.target)}"
        kind = f'<attvalues><attvalue for="kind" value={_quoted(edge.kind)}/></attvalues>'
        yield f'<edge id="{number}" {ends} weight="{edge.weight}">{kind}</edge>'
    yield "</edges></graph></gexf>"


def _quoted(text: str) -> str:
    return quoteattr(_FORBIDDEN.sub(" ", text), {"\n": " ", "\r": " ", "\t": " "})
