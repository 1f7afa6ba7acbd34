"""The namespaces of the protocol, and the two versions of it that are spoken."""

from dataclasses import dataclass

SERVICE = "Flowize"
XSI = "http://www.w3.org/2001/XMLSchema-instance"
XSD = "http://www.w3.org/2001/XMLSchema"
ENCODING_11 = "http://schemas.xmlsoap.org/soap/encoding/"
ENCODING_12 = "http://www.w3.org/2003/05/soap-encoding"
NEXT_ACTORS = (
    "",
    "http://schemas.xmlsoap.org/soap/actor/next",
    "http://www.w3.org/2003/05/soap-envelope/role/next",
    "http://www.w3.org/2003/05/soap-envelope/role/ultimateReceiver",
)

# Published examples use these prefixes without declaring them.
UNDECLARED = {"mym": SERVICE, "tns": SERVICE, "dig": SERVICE}


@dataclass(frozen=True, slots=True)
class Version:
    """A version of the protocol; ``envelope`` is the namespace as the caller spells it."""

    envelope: str
    content_type: str
    encoding: str

    @property
    def is_12(self) -> bool:
        """Whether it is SOAP 1.2."""
        return self.content_type == "application/soap+xml"


SOAP_11 = Version("http://schemas.xmlsoap.org/soap/envelope/", "text/xml", ENCODING_11)
SOAP_12 = Version("http://www.w3.org/2003/05/soap-envelope", "application/soap+xml", ENCODING_12)
# The product's documentation spells the namespace of SOAP 1.2 with a slash at its end.
SOAP_12_SLASH = Version(SOAP_12.envelope + "/", SOAP_12.content_type, ENCODING_12)
VERSIONS = {version.envelope: version for version in (SOAP_11, SOAP_12, SOAP_12_SLASH)}
