"""What was learned in another way is learned again from the journal; what was decided stays."""

from pathlib import Path

import msgspec

import tests.journals as j
from monitor.engine.run import Engines, judge
from monitor.model import Entry, Observation, RailState
from monitor.restart import relearn, resume
from monitor.store import Checkpoint, Step, Store

LEARNED = 5  # place in a written engine: detector -> (version, what it has learned)


def of_another_version(checkpoint: bytes) -> bytes:
    written = msgspec.msgpack.decode(checkpoint)
    written[LEARNED]["silence"][0] += 1
    return msgspec.msgpack.encode(written)


async def test_another_way_of_learning_is_made_up_for_from_the_journal(tmp_path: Path) -> None:
    entries: list[Observation] = [*j.rail(0, RailState.OPEN), j.read(0)]
    entries += [*j.rail(1, RailState.SUSPENDED), j.read(1), j.read(2), *j.usual(range(3, 200))]
    engines = Engines.fresh()
    steps = [
        Step(Entry(seq, entry), tuple(judge(engines, entry, engines.apply))) for seq, entry in enumerate(entries, 1)
    ]
    written = {name: engines.checkpoint(name) for name in engines.names()}
    older = written | {"examplex": of_another_version(written["examplex"])}
    store = await Store.open(f"sqlite+aiosqlite:///{tmp_path}/cexwatch.db")
    try:
        await store.commit(steps, checkpoint=Checkpoint(len(steps), entries[-1].at, older))
        resumed = await resume(store)
        assert resumed.engines.unlearned() == ["examplex"]
        stopped = Engines.restore({name: resumed.engines.checkpoint(name) for name in resumed.engines.names()})
        assert stopped.unlearned() == ["examplex"]
        before = resumed.engines.view("examplex")
        assert before.silence_note.startswith("uncalibrated")
        assert before.withdrawals == engines.view("examplex").withdrawals == "halted"
        for name, learned in (await relearn(store, resumed.engines.unlearned())).items():
            resumed.engines.teach(name, learned)
    finally:
        await store.close()
    assert resumed.engines.view("examplex") == engines.view("examplex")
