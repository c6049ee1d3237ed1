"""Node ids from the lines of corosync, where no configuration is in the input."""

from __future__ import annotations

from hadiag.model.entity import Level, Scalar
from hadiag.model.event import EventClass, RawEvent
from hadiag.model.source import BundleId, SourceRef
from hadiag.timeline.identity import resolve


def _raw(observer: str, kind: str, line: int, /, **fields: Scalar) -> RawEvent:
    ref = SourceRef(BundleId("b"), f"{observer}.log", line, line * 100, 80)
    return RawEvent(
        ref, kind, EventClass.CORE, None, observer, None, "corosync", "corosync", 1, Level.NOTICE, "", fields
    )


def _ids(*raws: RawEvent) -> dict[str, tuple[int, ...]]:
    return {node.name: node.nodeids for node in resolve(raws, (), ()).nodes()}


def test_the_member_that_is_no_peer_is_the_node_itself() -> None:
    """knet prints the numbers of peers only."""
    found = _ids(
        _raw("alpha", "corosync.quorum.members", 1, count=3, nodeids="1 2 3"),
        _raw("alpha", "knet.link.up", 2, host=2, link=0),
        _raw("alpha", "knet.link.down", 3, host=3, link=0),
    )
    assert found["alpha"] == (1,)


def test_the_last_number_belongs_to_the_last_name() -> None:
    """A peer whose own logs are missing gets the number that is left."""
    found = _ids(
        _raw("alpha", "corosync.quorum.members", 1, count=2, nodeids="1 2"),
        _raw("alpha", "knet.host.no_links", 2, host=2),
        _raw("alpha", "pcmk.node.state", 3, node="beta", state="lost"),
    )
    assert found == {"alpha": (1,), "beta": (2,)}


def test_two_open_numbers_stay_open() -> None:
    """Where it cannot be told which number is whose, nothing is assumed."""
    found = _ids(
        _raw("alpha", "corosync.quorum.members", 1, count=3, nodeids="1 2 3"),
        _raw("alpha", "knet.link.down", 2, host=2, link=0),
        _raw("alpha", "knet.link.down", 3, host=3, link=0),
        _raw("alpha", "pcmk.node.state", 4, node="beta", state="lost"),
        _raw("alpha", "pcmk.node.state", 5, node="gamma", state="lost"),
    )
    assert found["beta"] == ()
    assert found["gamma"] == ()


def test_without_knet_the_first_ring_tells() -> None:
    """A node that starts alone forms a ring of its own first."""
    found = _ids(
        _raw("alpha", "corosync.quorum.members", 1, count=1, nodeids="7"),
        _raw("alpha", "corosync.quorum.members", 2, count=2, nodeids="7 9"),
    )
    assert found["alpha"] == (7,)
