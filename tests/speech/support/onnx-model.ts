import { writeFileSync } from 'node:fs';

/**
 * Writes a small ONNX model (ONNX IR 8, opset 13) by hand: one linear layer over `input` [1, …shape], then a sigmoid.
 * The runtime loads and runs it like any other; protobuf field numbers are those of onnx.proto3.
 */
export function writeLogisticModel(
  path: string,
  model: { input: string; shape: readonly number[]; weights: Float32Array; bias: number },
): void {
  const { input, shape, weights, bias } = model;
  const graph = message([
    [1, node('Flatten', [input], ['flat'])],
    [1, node('MatMul', ['flat', 'weights'], ['weighted'])],
    [1, node('Add', ['weighted', 'bias'], ['logit'])],
    [1, node('Sigmoid', ['logit'], ['probability'])],
    [2, 'end of turn'],
    [5, tensor('weights', [weights.length, 1], weights)],
    [5, tensor('bias', [1], Float32Array.of(bias))],
    [11, valueInfo(input, [1, ...shape])],
    [12, valueInfo('probability', [1, 1])],
  ]);
  const opset = message([[2, 13]]);
  writeFileSync(
    path,
    message([
      [1, 8],
      [7, graph],
      [8, opset],
    ]),
  );
}

type Field = readonly [number, number | string | Buffer];

const FLOAT = 1;

function node(operator: string, inputs: readonly string[], outputs: readonly string[]): Buffer {
  return message([
    ...inputs.map((name): Field => [1, name]),
    ...outputs.map((name): Field => [2, name]),
    [4, operator],
  ]);
}

function tensor(name: string, dims: readonly number[], values: Float32Array): Buffer {
  const raw = Buffer.from(values.buffer, values.byteOffset, values.byteLength);
  return message([...dims.map((dim): Field => [1, dim]), [2, FLOAT], [8, name], [9, raw]]);
}

function valueInfo(name: string, dims: readonly number[]): Buffer {
  const shape = message(dims.map((dim): Field => [1, message([[1, dim]])]));
  const tensorType = message([
    [1, FLOAT],
    [2, shape],
  ]);
  return message([
    [1, name],
    [2, message([[1, tensorType]])],
  ]);
}

function message(fields: readonly Field[]): Buffer {
  return Buffer.concat(
    fields.flatMap(([number, value]) => {
      if (typeof value === 'number') return [varint(number << 3), varint(value)];
      const bytes = typeof value === 'string' ? Buffer.from(value) : value;
      return [varint((number << 3) | 2), varint(bytes.length), bytes];
    }),
  );
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return Buffer.from([...bytes, rest]);
    bytes.push((rest % 128) | 128);
  }
}
