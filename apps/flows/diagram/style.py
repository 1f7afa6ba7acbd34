"""The style sheet inside every drawing; colours are variables, so that dark mode and print change nothing else.

Outside the admin the drawing follows the reader's system. Inside it, where it is not the root of its document, it
follows the theme's class ``dark``.
"""

import base64
import hashlib

_LIGHT = (
    "--ground:#fff;--box:#f8fafc;--ink:#0f172a;--soft:#475569;--line:#64748b;--app:#2563eb;--decision:#b45309;"
    "--set:#0f766e;--wait:#7c3aed;--stop:#be185d;--event:#0369a1;--flow:#4d7c0f;--ends:#334155;--bad:#dc2626;--good:#15803d;"
    "--now:#2563eb;--heat:234,88,12;color-scheme:light;"
)
_DARK = (
    "--ground:#0f172a;--box:#1e293b;--ink:#f1f5f9;--soft:#a3b1c6;--line:#8595ab;--app:#60a5fa;--decision:#fbbf24;"
    "--set:#2dd4bf;--wait:#c4b5fd;--stop:#f472b6;--event:#38bdf8;--flow:#a3e635;--ends:#cbd5e1;--bad:#f87171;--good:#4ade80;"
    "--now:#60a5fa;--heat:249,115,22;color-scheme:dark;"
)
_HUES = {
    "app": "app", "decision": "decision", "set": "set", "wait": "wait", "stop": "stop", "webhook": "event",
    "run": "flow", "move": "flow", "start": "ends", "end": "ends", "on-error": "bad", "missing": "bad",
    "unknown": "line",
}  # fmt: skip
_HEAT = (0.10, 0.22, 0.36, 0.52, 0.70)

STYLE = "".join(
    [
        f".fd{{{_LIGHT}}}",
        f".dark .fd{{{_DARK}}}",
        f"@media (prefers-color-scheme:dark){{.fd:root{{{_DARK}}}}}",
        f"@media print{{.fd,.dark .fd,.fd:root{{{_LIGHT}}}}}",
        ".fd{font-family:ui-sans-serif,system-ui,'Segoe UI',Roboto,'Noto Sans',Arial,sans-serif}",
        ".fd .ground{fill:var(--ground)}",
        ".fd text{fill:var(--ink);font-size:13px;font-weight:500;text-anchor:middle;unicode-bidi:plaintext}",
        ".fd .caption{fill:var(--soft);font-size:11px;font-weight:400}",
        ".fd .shape{fill:var(--box);stroke:var(--hue);stroke-width:1.5;stroke-linejoin:round}",
        ".fd .inner{fill:none;stroke:var(--hue);stroke-width:1.2}",
        "".join(f".fd .{name}{{--hue:var(--{hue})}}" for name, hue in _HUES.items()),
        ".fd .on-error .shape,.fd .missing .shape,.fd .unknown .shape{stroke-dasharray:5 4}",
        ".fd .way{fill:none;stroke:var(--line);stroke-width:1.5}",
        ".fd .head{fill:var(--line)}",
        ".fd .port rect{fill:var(--ground)}",
        ".fd .port text{fill:var(--soft);font-size:11px}",
        ".fd .handles .way{stroke-dasharray:5 4}",
        ".fd .dim{opacity:.5}",
        ".fd .taken .way{stroke:var(--good);stroke-width:3}.fd .taken .head{fill:var(--good)}",
        ".fd .taken .port text{fill:var(--ink);font-weight:600}",
        ".fd .done .shape{stroke:var(--good);stroke-width:3}.fd .done{--mark:var(--good)}",
        ".fd .failed .shape{stroke:var(--bad);stroke-width:3;stroke-dasharray:9 4}.fd .failed{--mark:var(--bad)}",
        ".fd .stuck .shape{stroke:var(--bad);stroke-width:5}.fd .stuck{--mark:var(--bad)}",
        ".fd .current .shape{stroke:var(--now);stroke-width:5}.fd .current{--mark:var(--now)}",
        ".fd .badge rect{fill:var(--mark,var(--ink))}",
        ".fd .badge text{fill:var(--ground);font-size:11px;font-weight:700}",
        ".fd .note rect{fill:var(--ground);stroke:var(--soft)}.fd .note text{fill:var(--ink);font-size:11px}",
        "".join(
            f".fd .heat-{index} .shape{{fill:rgba(var(--heat),{share})}}" for index, share in enumerate(_HEAT, start=1)
        ),
        ".fd a{cursor:pointer}.fd a:hover .shape,.fd a:focus-visible .shape{stroke-width:3}",
        "@media print{.fd .badge rect{fill:var(--ground);stroke:#000}.fd .badge text{fill:#000}}",
    ]
)
# What a Content-Security-Policy must name for the style sheet to count where a drawing is a document of its own.
STYLE_HASH = f"'sha256-{base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()}'"
