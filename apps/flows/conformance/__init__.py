"""The conformance kit of `flow/1`: cases as data files that any engine can be held to.

A case (format ``flow-case/1``) is a flow, an input, what apps answer and what people do; it expects a trace, a rest and
the data the record ends with. ``cases/`` holds those this engine is held to; ``manage.py flow_check`` plays them.
"""
