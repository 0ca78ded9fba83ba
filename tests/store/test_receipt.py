import asyncio

import pytest

from trimtab.errors import LedgerUnavailable
from trimtab.store.receipt import Receipt


def test_all_who_listen_are_told_once() -> None:
    receipt, heard = Receipt(), list[object]()
    receipt.listen(lambda error: heard.append(("first", error)))
    receipt.listen(lambda error: heard.append(("second", error)))
    assert (receipt.done, heard) == (False, [])
    receipt.tell(None)
    receipt.tell(LedgerUnavailable("too late to say so"))
    receipt.listen(lambda error: heard.append(("late", error)))
    assert heard == [("first", None), ("second", None), ("late", None)]
    assert (receipt.done, receipt.error) == (True, None)


async def _wait(receipt: Receipt) -> str:
    try:
        await receipt
    except LedgerUnavailable as error:
        return str(error)
    return "safe"


@pytest.mark.parametrize("error", [None, LedgerUnavailable("no")], ids=["safe", "refused"])
def test_it_can_be_awaited_by_several_of_whom_one_is_cancelled(
    error: LedgerUnavailable | None,
) -> None:
    async def run() -> list[str]:
        receipt = Receipt()
        waiting = [asyncio.ensure_future(_wait(receipt)) for _ in range(3)]
        await asyncio.sleep(0)
        waiting[0].cancel()
        await asyncio.sleep(0)
        receipt.tell(error)
        await asyncio.wait(waiting)
        told = ["cancelled" if task.cancelled() else task.result() for task in waiting]
        return [*told, await _wait(receipt)]

    assert asyncio.run(run()) == ["cancelled", *["safe" if error is None else "no"] * 3]
