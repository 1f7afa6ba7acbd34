"""The WSDL, written from the table of operations.

Every client that was tried reads it: all members may be left out, each answer's wrapper has a type, everything is a
string, there is one port, and no header.
"""

from collections.abc import Iterable, Iterator
from functools import lru_cache

from apps.soap.namespaces import ENCODING_11, SERVICE
from apps.soap.operations import OBJECTS, OPERATIONS
from apps.soap.writing import DECLARATION, escaped

ANSWER = ("Id", "Code", "RequestIP", "Resource", "Message", "Error")
USES = {
    "encoded": f'use="encoded" namespace="{SERVICE}" encodingStyle="{ENCODING_11}"',
    "literal": f'use="literal" namespace="{SERVICE}"',
}


@lru_cache(maxsize=64)
def write_wsdl(address: str, use: str) -> bytes:
    """The description of the service at ``address``; ``use`` is ``encoded`` or ``literal``."""
    return (DECLARATION + "\n".join(_definitions(address, USES[use])) + "\n").encode()


def _definitions(address: str, use: str) -> Iterator[str]:
    yield (
        f'<wsdl:definitions name="{SERVICE}" targetNamespace="{SERVICE}" xmlns:tns="{SERVICE}" '
        'xmlns:wsdl="http://schemas.xmlsoap.org/wsdl/" xmlns:soap="http://schemas.xmlsoap.org/wsdl/soap/" '
        'xmlns:xsd="http://www.w3.org/2001/XMLSchema">'
    )
    yield from _types()
    yield from _messages()
    yield from _port_type()
    yield from _binding(use)
    yield f'  <wsdl:service name="{SERVICE}">'
    yield f'    <wsdl:port name="{SERVICE}Port" binding="tns:{SERVICE}Binding">'
    yield f'      <soap:address location="{escaped(address)}"/>'
    yield "    </wsdl:port>"
    yield "  </wsdl:service>"
    yield "</wsdl:definitions>"


def _types() -> Iterator[str]:
    yield "  <wsdl:types>"
    # Its own namespaces once more: some clients take the schema out of the document.
    yield (
        f'    <xsd:schema targetNamespace="{SERVICE}" elementFormDefault="unqualified" '
        f'xmlns:xsd="http://www.w3.org/2001/XMLSchema" xmlns:tns="{SERVICE}">'
    )
    for name, members in OBJECTS.items():
        yield from _type(name, ((member, "xsd:string") for member in members))
    for operation in OPERATIONS.values():
        kinds = ((member, f"tns:{member}" if member in OBJECTS else "xsd:string") for member in operation.members)
        yield from _type(operation.request, kinds)
    yield from _type("Response", ((member, "xsd:string") for member in ANSWER))
    for name in OPERATIONS:  # so that the type which wrappers of answers name can be found
        yield from _type(f"{name}Response", [(f"{name}Result", "tns:Response")])
    yield "    </xsd:schema>"
    yield "  </wsdl:types>"


def _type(name: str, members: Iterable[tuple[str, str]]) -> Iterator[str]:
    yield f'      <xsd:complexType name="{name}">'
    yield "        <xsd:all>"
    for member, kind in members:
        yield f'          <xsd:element name="{member}" type="{kind}" minOccurs="0"/>'
    yield "        </xsd:all>"
    yield "      </xsd:complexType>"


def _messages() -> Iterator[str]:
    for name, operation in OPERATIONS.items():
        yield _message(f"{name}Request", "input", operation.request)
        yield _message(f"{name}Response", f"{name}Result", "Response")


def _message(name: str, part: str, kind: str) -> str:
    return f'  <wsdl:message name="{name}"><wsdl:part name="{part}" type="tns:{kind}"/></wsdl:message>'


def _port_type() -> Iterator[str]:
    yield f'  <wsdl:portType name="{SERVICE}PortType">'
    for name, operation in OPERATIONS.items():
        yield f'    <wsdl:operation name="{name}">'
        yield f"      <wsdl:documentation>{escaped(operation.usage)}</wsdl:documentation>"
        yield f'      <wsdl:input message="tns:{name}Request"/>'
        yield f'      <wsdl:output message="tns:{name}Response"/>'
        yield "    </wsdl:operation>"
    yield "  </wsdl:portType>"


def _binding(use: str) -> Iterator[str]:
    yield f'  <wsdl:binding name="{SERVICE}Binding" type="tns:{SERVICE}PortType">'
    yield '    <soap:binding style="rpc" transport="http://schemas.xmlsoap.org/soap/http"/>'
    for name in OPERATIONS:
        yield f'    <wsdl:operation name="{name}">'
        yield f'      <soap:operation soapAction="{SERVICE}#{name}" style="rpc"/>'
        yield f"      <wsdl:input><soap:body {use}/></wsdl:input>"
        yield f"      <wsdl:output><soap:body {use}/></wsdl:output>"
        yield "    </wsdl:operation>"
    yield "  </wsdl:binding>"
