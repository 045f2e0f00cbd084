"""Caffe files: bytes composed by hand from the encoding guide, and by the official library."""

from __future__ import annotations

import io
import struct

import pytest
import torch

from ssd_core.weights.layouts.caffemodel import read_caffemodel
from ssd_core.weights.named_tensors import read_named_tensors

ONE_TO_SIX = struct.pack("<6f", 1, 2, 3, 4, 5, 6)

# field 1 "net"; field 100 (tag 802 = a2 06) a layer: field 1 "ip", field 7 a blob: field 7 its shape {field 1 packed
# 2, 3}, field 5 six packed floats; a layer without blobs
MODERN = (
    b"\x0a\x03net"
    + b"\xa2\x06\x26"
    + b"\x0a\x02ip"
    + b"\x3a\x20"
    + (b"\x3a\x04\x0a\x02\x02\x03" + b"\x2a\x18" + ONE_TO_SIX)
    + b"\xa2\x06\x06"
    + b"\x0a\x04relu"
)
# field 2 a layer of before 2015: field 4 "ip", field 6 a blob: fields 1 to 4 its four sizes, field 5 floats one by one
ONE_BY_ONE = b"".join(b"\x2d" + ONE_TO_SIX[place : place + 4] for place in range(0, 24, 4))
LEGACY = b"\x12\x2c" + b"\x22\x02ip" + b"\x32\x26" + b"\x08\x01\x10\x01\x18\x02\x20\x03" + ONE_BY_ONE


def test_a_layer_written_by_hand_is_read():
    tensors = read_caffemodel(MODERN)
    assert {name: tensor.tolist() for name, tensor in tensors.items()} == {"ip/0": [[1, 2, 3], [4, 5, 6]]}


def test_a_legacy_layer_loses_its_leading_sizes_of_one():
    tensors = read_caffemodel(LEGACY)
    assert {name: tensor.tolist() for name, tensor in tensors.items()} == {"ip/0": [[1, 2, 3], [4, 5, 6]]}


@pytest.mark.parametrize("content", [MODERN, LEGACY])
def test_a_file_truncated_anywhere_is_refused(content):
    whole = {len(MODERN), len(MODERN) - 9}  # without the last layer it is a valid file
    for end in range(len(content)):
        if end not in whole:
            with pytest.raises(ValueError, match=r"protocol buffer|not a Caffe model|needs"):
                read_caffemodel(content[:end])


def test_a_blob_whose_shape_does_not_fit_its_numbers_is_refused():
    with pytest.raises(ValueError, match=r"a Caffe blob of shape \(2, 4\) needs 32 bytes, but has 24"):
        read_caffemodel(MODERN.replace(b"\x0a\x02\x02\x03", b"\x0a\x02\x02\x04"))


def test_what_the_official_library_encodes_is_read():
    pytest.importorskip("google.protobuf")
    written = torch.randn(3, 2, 3, 3, generator=torch.Generator().manual_seed(0))
    content = _officially_encoded("conv1_1", [written, written[:, 0, 0, 0]], extra=300)
    tensors = read_named_tensors(io.BytesIO(content))
    assert torch.equal(tensors["conv1_1/0"], written)
    assert torch.equal(tensors["conv1_1/1"], written[:, 0, 0, 0])


def _officially_encoded(name, blobs, extra):
    """A NetParameter of one layer, encoded by google.protobuf; `phase` is an irrelevant field."""
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

    kinds = descriptor_pb2.FieldDescriptorProto
    file = descriptor_pb2.FileDescriptorProto(name="caffe_test.proto", package="caffe_test", syntax="proto2")

    def message(kind, *members):
        described = file.message_type.add(name=kind)
        for field, number, repeated, of, packed in members:
            item = described.field.add(name=field, number=number)
            item.label = kinds.LABEL_REPEATED if repeated else kinds.LABEL_OPTIONAL
            item.type = of if isinstance(of, int) else kinds.TYPE_MESSAGE
            if not isinstance(of, int):
                item.type_name = f".caffe_test.{of}"
            if packed:
                item.options.packed = True

    message("BlobShape", ("dim", 1, True, kinds.TYPE_INT64, True))
    message("BlobProto", ("shape", 7, False, "BlobShape", False), ("data", 5, True, kinds.TYPE_FLOAT, True))
    message(
        "LayerParameter",
        ("name", 1, False, kinds.TYPE_STRING, False),
        ("blobs", 7, True, "BlobProto", False),
        ("phase", 10, False, kinds.TYPE_INT32, False),
    )
    message("NetParameter", ("name", 1, False, kinds.TYPE_STRING, False), ("layer", 100, True, "LayerParameter", False))
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    net = message_factory.GetMessageClass(pool.FindMessageTypeByName("caffe_test.NetParameter"))(name="VGG")
    layer = net.layer.add(name=name, phase=extra)
    for blob in blobs:
        item = layer.blobs.add()
        item.shape.dim.extend(blob.shape)
        item.data.extend(blob.flatten().tolist())
    return net.SerializeToString()
