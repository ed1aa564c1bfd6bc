"""A TCP proxy that holds every byte for a while in each direction, and does not limit bandwidth.

python3 benches/harness/delay.py TARGET_PORT MILLISECONDS    prints the port it listens on
"""

import asyncio
import sys

PIECE = 256 * 1024


async def main(target: int, seconds: float) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        to_server = await asyncio.open_connection("127.0.0.1", target)
        await asyncio.gather(pipe(reader, to_server[1], seconds), pipe(to_server[0], writer, seconds))

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


async def pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, seconds: float) -> None:
    """Two tasks, so that what comes later is read while the earlier is held."""
    loop = asyncio.get_running_loop()
    held: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()

    async def release() -> None:
        while True:
            due, data = await held.get()
            await asyncio.sleep(due - loop.time())
            if not data:
                break
            writer.write(data)
            await writer.drain()
        writer.close()

    releasing = asyncio.create_task(release())
    while data := await reader.read(PIECE):
        held.put_nowait((loop.time() + seconds, data))
    held.put_nowait((loop.time() + seconds, b""))
    await releasing


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), float(sys.argv[2]) / 1000))
