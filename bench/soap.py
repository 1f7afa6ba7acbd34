"""Inserts a second by SOAP, as a ratio to REST: the same records, callers and server, taking turns.

python -m bench.soap [--seconds 5] [--turns 6] [--callers 8]
"""

import argparse
import base64
import json
import socket
import statistics
import threading
import time
from collections.abc import Callable
from urllib.parse import urlsplit

from bench.house import house
from flowize.demo.content import FLOW_NAME, SAMPLE

Demo = dict[str, str]


def rest_request(acme: Demo, host: str) -> bytes:
    """A record by REST."""
    body = json.dumps(SAMPLE).encode()
    head = (
        f"POST /v1/record HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\nX-Apikey: {acme['api_key']}\r\n"
        f"X-App: {acme['app_key']}\r\nX-Flow: {FLOW_NAME}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def soap_request(acme: Demo, host: str) -> bytes:
    """The same record by SOAP, with the types that rpc/encoded clients send."""
    text = 'xsi:type="xsd:string"'
    data = base64.b64encode(json.dumps(SAMPLE).encode()).decode()
    body = (
        '<?xml version="1.0" encoding="UTF-8"?>\n<soapenv:Envelope xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
        ' xmlns:xsd="http://www.w3.org/2001/XMLSchema" xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"'
        ' xmlns:ns1="Flowize" soapenv:encodingStyle="http://schemas.xmlsoap.org/soap/encoding/"><soapenv:Body>'
        '<ns1:insertRecord><input xsi:type="ns1:InsertRecordRequest">'
        f'<AuthenticationObject xsi:type="ns1:AuthenticationObject"><Apikey {text}>{acme["api_key"]}</Apikey>'
        f"<Appkey {text}>{acme['app_key']}</Appkey><Version {text}>1</Version></AuthenticationObject>"
        f'<DataRecordObject xsi:type="ns1:DataRecordObject"><Data {text}>{data}</Data></DataRecordObject>'
        f'<FlowDiagramObject xsi:type="ns1:FlowDiagramObject"><Flow {text}>{FLOW_NAME}</Flow></FlowDiagramObject>'
        "</input></ns1:insertRecord></soapenv:Body></soapenv:Envelope>"
    ).encode()
    head = (
        f"POST /v1/soap HTTP/1.1\r\nHost: {host}\r\nContent-Type: text/xml; charset=utf-8\r\n"
        f'SOAPAction: "Flowize#insertRecord"\r\nContent-Length: {len(body)}\r\n\r\n'
    )
    return head.encode() + body


def send(connection: socket.socket, request: bytes) -> int:
    """Send a request on an open connection and read its answer; the status."""
    connection.sendall(request)
    answer = b""
    while b"\r\n\r\n" not in answer:
        answer += connection.recv(65536)
    head, _, body = answer.partition(b"\r\n\r\n")
    length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
    while len(body) < length:
        body += connection.recv(65536)
    return int(head.split()[1])


def rate(request: bytes, status: int, address: tuple[str, int], seconds: float, callers: int) -> float:
    """Requests a second of so many callers at once."""
    counts: list[int] = []
    end = time.monotonic() + seconds

    def caller() -> None:
        count = 0
        with socket.create_connection(address) as connection:
            while time.monotonic() < end:
                found = send(connection, request)
                assert found == status, found
                count += 1
        counts.append(count)

    began = time.monotonic()
    _at_once(caller, callers)
    assert len(counts) == callers
    return sum(counts) / (time.monotonic() - began)


def _at_once(act: Callable[[], None], times: int) -> None:
    threads = [threading.Thread(target=act) for _ in range(times)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--seconds", type=float, default=5)
    options.add_argument("--turns", type=int, default=6)
    options.add_argument("--callers", type=int, default=8)
    chosen = options.parse_args()
    with house("web", LOG_LEVEL="ERROR") as installation:
        url = urlsplit(installation.base_url)
        address = (str(url.hostname), installation.port)
        requests = {
            "rest": (rest_request(installation.acme, url.netloc), 201),
            "soap": (soap_request(installation.acme, url.netloc), 200),
        }
        found: dict[str, list[float]] = {name: [] for name in requests}
        for request, status in requests.values():
            rate(request, status, address, 2, chosen.callers)  # connections and caches
        for turn in range(chosen.turns):
            for name in sorted(requests, reverse=turn % 2 == 1):
                found[name].append(rate(*requests[name], address, chosen.seconds, chosen.callers))
                print(f"{name} {found[name][-1]:.0f}/s", flush=True)
    medians = {name: statistics.median(values) for name, values in found.items()}
    ratio = medians["soap"] / medians["rest"]
    print(f"median rest {medians['rest']:.0f}/s, soap {medians['soap']:.0f}/s, ratio {ratio:.2f}")


if __name__ == "__main__":
    main()
