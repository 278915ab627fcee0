"""A gRPC client that knows nothing of claudectl but the path of its socket."""

import json
import sys

import grpc
from google.protobuf import json_format
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

# Without an authority grpcio sends the escaped path, which is none.
channel = grpc.insecure_channel("unix:" + sys.argv[1], options=[("grpc.default_authority", "localhost")])
reflection = ProtoReflectionDescriptorDatabase(channel)
pool = DescriptorPool(reflection)


def method(service, name):
    """The method, and its classes of messages, as reflection describes them."""
    described = pool.FindServiceByName(service).FindMethodByName(name)
    request, response = GetMessageClass(described.input_type), GetMessageClass(described.output_type)
    make = channel.unary_stream if described.server_streaming else channel.unary_unary
    call = make(
        f"/{service}/{name}", request_serializer=request.SerializeToString, response_deserializer=response.FromString
    )
    return lambda **fields: call(request(**fields), timeout=20)


def as_json(message):
    return json_format.MessageToDict(message, preserving_proto_field_name=True)


services = list(reflection.get_services())
health = health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(), timeout=20)
status = method("claudectl.v1.DaemonService", "GetStatus")()
watch = method("claudectl.v1.DaemonService", "WatchStatus")()
watched = 0
for update in watch:
    watched += 1
    assert update.status.pid == status.status.pid
    watch.cancel()
    break
try:
    method("claudectl.v1.SessionService", "EndSession")(session="deadbeef")
    error = None
except grpc.RpcError as failed:
    error = {"code": failed.code().name, "message": failed.details()}

print(
    json.dumps(
        {
            "services": services,
            "health": health_pb2.HealthCheckResponse.ServingStatus.Name(health.status),
            "status": as_json(status.status),
            "watched": watched,
            "error": error,
        }
    )
)
