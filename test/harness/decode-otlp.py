"""Reads one OTLP request from the standard input and prints it as JSON, decoded by the code generated from the official schema.

Usage: decode-otlp.py traces|metrics protobuf|json
"""

import json
import sys

from google.protobuf import json_format
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

signal, encoding = sys.argv[1:]
message = ExportTraceServiceRequest() if signal == "traces" else ExportMetricsServiceRequest()
body = sys.stdin.buffer.read()
if encoding == "json":
    json_format.Parse(body, message, ignore_unknown_fields=False)
else:
    message.ParseFromString(body)
    size = message.ByteSize()
    message.DiscardUnknownFields()
    if message.ByteSize() != size:
        sys.exit("the request has fields that are not in the schema")
print(json.dumps(json_format.MessageToDict(message)))
