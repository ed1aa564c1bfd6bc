"""Opening and watching on real servers."""

import asyncio
from typing import Any

import pytest
from mailtide import Flags, MailError, New, Removed, blocking


def test_starttls_gives_the_same_session(place: Any) -> None:
    place.put(2)

    async def main() -> None:
        async with place.connect("imap+starttls") as session:
            assert await session.mailbox("INBOX").count() == 2

    asyncio.run(main())


def test_a_certificate_of_an_unknown_authority_is_refused(place: Any) -> None:
    async def main() -> None:
        import mailtide

        url = f"imaps://{place.user}@localhost:{place.env['imaps_port']}"
        with pytest.raises(MailError) as caught:
            await mailtide.connect(url, password=place.env["password"])
        assert caught.value.code == "net.tls"

    asyncio.run(main())


def test_a_wrong_password_is_rejected_and_not_repeated(place: Any) -> None:
    if place.env["server"] == "cyrus":
        pytest.skip("takes any password, see tests/servers/deviations.md")

    async def main() -> None:
        with pytest.raises(MailError) as caught:
            await place.connect(password="Not-the-password-9")
        assert caught.value.code == "auth.rejected"
        assert "Not-the-password-9" not in str(caught.value) + repr(caught.value)

    asyncio.run(main())


@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN", "SCRAM-SHA-256"])
def test_each_mechanism_that_the_server_has_logs_in(place: Any, mechanism: str) -> None:
    if place.env["server"] == "cyrus" and mechanism.startswith("SCRAM"):
        pytest.skip("needs a user database, see tests/servers/deviations.md")
    account = place.connect()._account
    options = {f: getattr(account, f) for f in ("password", "net")}

    async def main() -> None:
        import mailtide

        async with mailtide.connect(mailtide.Account(account.url, mechanism=mechanism, **options)) as session:
            assert await session.mailbox("INBOX").count() == 0

    asyncio.run(main())


def test_a_watch_tells_each_change_of_another_client_once(place: Any) -> None:
    place.put(2)
    one, two = place.ask("INBOX")

    async def main() -> list[Any]:
        events: list[Any] = []
        async with place.connect() as session, session.mailbox("INBOX").watch() as watch, asyncio.timeout(60):
            await asyncio.to_thread(change)
            async for event in watch:
                events.append(event)
                if {New, Flags, Removed} <= {type(e) for e in events}:
                    break
        return events

    def change() -> None:
        place.put(1)
        place.witness.select("INBOX")
        place.witness.uid("STORE", str(one), "+FLAGS", "(\\Flagged)")
        place.witness.uid("STORE", str(two), "+FLAGS.SILENT", "(\\Deleted)")
        place.witness.expunge()

    events = asyncio.run(main())
    new = [e.message.subject for e in events if isinstance(e, New)]
    assert new == ["Letter 1"]
    assert [e.ref.uid for e in events if isinstance(e, Removed)] == [two]
    assert [e.added for e in events if isinstance(e, Flags) and e.ref.uid == one] == [{"\\Flagged"}]


def test_the_blocking_twin_does_the_same(place: Any) -> None:
    place.put(3)
    account = place.connect()._account
    with blocking.connect(account.url, password=account.password, net=account.net) as session:
        inbox = session.mailbox("INBOX")
        assert [m.subject for m in inbox.fetch("is:unread")] == ["Letter 1", "Letter 2", "Letter 3"]
        inbox.move(inbox.search("subject:\"Letter 2\""), "Archive")
    assert len(place.ask("INBOX")) == 2 and len(place.ask("Archive")) == 1
