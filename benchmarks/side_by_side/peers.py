"""Servers that can be measured: each is started on a free port and one core, and ended with its `with` block."""

from __future__ import annotations

import http.client
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from benchmarks.side_by_side.pairs import Server, processes_of

HERE = Path(__file__).parent
PROGRAM = Path(sys.executable).with_name("location-policy")
PATIENCE = 300.0
"""Seconds in which a server must answer."""
SYSTEM_PYTHON = "/usr/bin/python3"
"""With Flask and netaddr, on which the classic rule runs."""
NGINX = """
daemon off; master_process off; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/error.log warn;
events {{ worker_connections 512; }}
http {{
    access_log off; keepalive_requests 1000000000; keepalive_timeout 75; tcp_nodelay on;
    client_body_temp_path {folder}; proxy_temp_path {folder}; fastcgi_temp_path {folder};
    uwsgi_temp_path {folder}; scgi_temp_path {folder}; map_hash_bucket_size 256; large_client_header_buffers 4 16k;
    {rest}
}}
"""
GEO = """
    map $args $caller {{ default ""; "~(?:^|&)ms-subnet=(?<subnet>[^&]*)" $subnet; }}
    geo $caller $row {{ default ""; {rows} }}
    server {{
        listen 127.0.0.1:{port} default_server;
        default_type application/json;
        add_header X-Location-Policy-Commit cccccccccccccccccccccccccccccccccccccccc;
        location = /policy/v1/participant/location {{
            return 200 '{{"status": "success", "policy.reason.matched": "Sending MSSIP call", "result": {{$row}}}}';
        }}
    }}
"""
FRONT = """
    server {{
        listen 127.0.0.1:{port} default_server;
        location / {{
            uwsgi_pass unix:{folder}/classic.sock;
{parameters}
        }}
    }}
"""
PARAMETERS = (
    "QUERY_STRING $query_string",
    "REQUEST_METHOD $request_method",
    "CONTENT_TYPE $content_type",
    "CONTENT_LENGTH $content_length",
    "REQUEST_URI $request_uri",
    "PATH_INFO $document_uri",
    "SERVER_PROTOCOL $server_protocol",
    "SERVER_NAME $server_name",
    "SERVER_PORT $server_port",
)


class NotInstalled(Exception):
    """A peer is missing; the text says which, and how to get it."""


@contextmanager
def constant(core: int, requests: Path, size: int) -> Iterator[Server]:
    """Bare uvicorn."""
    with _python("constant.py", "constant", core, requests, str(size)) as server:
        yield server


@contextmanager
def framework(core: int, requests: Path, rows: Path) -> Iterator[Server]:
    """Plain Starlette."""
    with _python("framework.py", "Starlette", core, requests, str(rows)) as server:
        yield server


@contextmanager
def ours(core: int, requests: Path, repository: Path, *options: str, authorization: str = "") -> Iterator[Server]:
    """The service; where there are credentials, they are asked about once before."""
    port = _free_port()
    arguments = [str(PROGRAM), "serve", "--repo", str(repository), "--port", str(port), *options]
    with _running(arguments, core) as process:
        _wait(process, port, authorization)
        yield Server("ours", port, processes_of(process.pid), requests)


@contextmanager
def nginx_geo(core: int, requests: Path, rows: Path, folder: Path) -> Iterator[Server]:
    """nginx, whose `geo` block has the same rows."""
    _need("nginx")
    port = _free_port()
    geo = " ".join(_geo_row(*line.split(",")) for line in rows.read_text().splitlines())
    with _nginx(folder, GEO.format(rows=geo, port=port), core) as process:
        _wait(process, port)
        yield Server("nginx geo", port, [process.pid], requests)


@contextmanager
def classic(core: int, requests: Path, rows: Path, folder: Path) -> Iterator[Server]:
    """The Flask file under one process of uWSGI, behind nginx."""
    _need("nginx")
    _need("uwsgi")
    if subprocess.run([SYSTEM_PYTHON, "-c", "import flask, netaddr"], capture_output=True, check=False).returncode:
        raise NotInstalled("Flask or netaddr is not installed: apt install python3-flask python3-netaddr")
    port = _free_port()
    uwsgi = ["uwsgi", "--plugin", "python3", "--socket", f"{folder}/classic.sock", "--chdir", str(HERE)]
    uwsgi += ["--module", "classic:app", "--disable-logging", "--need-app", "--buffer-size", "16384"]
    parameters = "\n".join(f"            uwsgi_param {parameter};" for parameter in PARAMETERS)
    front = FRONT.format(port=port, folder=folder, parameters=parameters)
    with _running(uwsgi, core, ROWS=str(rows)) as behind, _nginx(folder, front, core) as process:
        _wait(process, port)
        yield Server("classic", port, [*processes_of(behind.pid), process.pid], requests)


def commit_of(port: int) -> str | None:
    """The commit that answers come from."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    with closing(connection):
        connection.request("GET", "/policy/v1/participant/location?protocol=sip")
        return connection.getresponse().headers["x-location-policy-commit"]


def _geo_row(location: str, primary: str, secondary: str, network: str) -> str:
    overflow = f'"primary_overflow_location": "{primary}", "secondary_overflow_location": "{secondary}"'
    return f'{network} \'"location": "{location}", {overflow}\';'


def _need(program: str) -> None:
    if shutil.which(program) is None:
        extra = {"uwsgi": "uwsgi-core uwsgi-plugin-python3"}.get(program, program)
        raise NotInstalled(f"{program} is not installed: apt install {extra}")


@contextmanager
def _python(script: str, name: str, core: int, requests: Path, *arguments: str) -> Iterator[Server]:
    port = _free_port()
    with _running([sys.executable, str(HERE / script), str(port), *arguments], core) as process:
        _wait(process, port)
        yield Server(name, port, [process.pid], requests)


@contextmanager
def _nginx(folder: Path, rest: str, core: int) -> Iterator[subprocess.Popen[bytes]]:
    path = folder / "nginx.conf"
    path.write_text(NGINX.format(folder=folder, rest=rest))
    with _running(["nginx", "-c", str(path), "-e", f"{folder}/error.log"], core) as process:
        yield process


@contextmanager
def _running(arguments: Sequence[str], core: int, **environment: str) -> Iterator[subprocess.Popen[bytes]]:
    command, nowhere = ["taskset", "-c", str(core), *arguments], subprocess.DEVNULL
    process = subprocess.Popen(command, env={**os.environ, **environment}, stdout=nowhere, stderr=nowhere)
    try:
        yield process
    finally:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(timeout=10)
        process.kill()
        process.wait()


def _free_port() -> int:
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        return int(listener.getsockname()[1])


def _wait(process: subprocess.Popen[bytes], port: int, authorization: str = "") -> None:
    """Until it answers with 200."""
    headers = {"Authorization": authorization} if authorization else {}
    deadline = time.monotonic() + PATIENCE
    while process.poll() is None and time.monotonic() < deadline:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        with suppress(OSError, http.client.HTTPException):
            connection.request("GET", "/policy/v1/participant/location?protocol=sip", headers=headers)
            if connection.getresponse().status == 200:
                return
        connection.close()
        time.sleep(0.01)
    raise RuntimeError(f"{process.args!r} does not answer")
