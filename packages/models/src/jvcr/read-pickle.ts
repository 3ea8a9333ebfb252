/** A call of an allowed global that the pickle asks for; nothing is executed while reading. */
export interface PickledCall {
  /** `module.name` as the pickle writes it. */
  readonly callable: string;
  readonly args: readonly unknown[];
}

/** A reference to data outside the pickle. */
export interface PersistentReference {
  readonly persistent: unknown;
}

/** A class or function by name. */
class Global {
  constructor(readonly name: string) {}
}

/** What turns names into values. The reader itself knows no Python objects but these. */
export interface PickleRules {
  /** Names `module.name` that may appear at all. */
  readonly allowed: ReadonlySet<string>;
  /** Makes the value of a call of an allowed name. */
  readonly call: (call: PickledCall) => unknown;
  /** Makes the value of a persistent reference. */
  readonly load: (reference: PersistentReference) => unknown;
}

const MARK = Symbol('mark');

/** Bytes of a whole number; torch's own magic number has ten. */
const LONGEST = 16;

/**
 * Reads one Python pickle (binary opcodes of protocols 2 to 4) from a position on.
 *
 * Safe by construction: a pickle is a program, and this reader interprets only the instructions that build lists,
 * tuples, dictionaries, numbers and strings; a name is accepted only when it is in `rules.allowed`, and calling it
 * runs our own function of that name, never anything that the file brings.
 * @returns the value and the position after the pickle.
 * @throws Error naming the refused name or instruction.
 */
export function readPickle(
  bytes: Uint8Array,
  start: number,
  rules: PickleRules,
): { value: unknown; end: number } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const stack: unknown[] = [];
  const memo = new Map<number, unknown>();
  let at = start;

  const take = (count: number): Uint8Array => {
    if (at + count > bytes.length)
      throw new Error(`readPickle: the file ends inside the pickle at byte ${at}`);
    at += count;
    return bytes.subarray(at - count, at);
  };
  const byte = (): number => take(1)[0];
  const uint32 = (): number => {
    take(4);
    return view.getUint32(at - 4, true);
  };
  const text = (count: number): string => new TextDecoder().decode(take(count));
  const line = (): string => {
    const end = bytes.indexOf(10, at);
    const value = text((end < 0 ? bytes.length : end) - at);
    take(1);
    return value;
  };
  const long = (count: number): number => {
    if (count > LONGEST) {
      throw new Error(
        `readPickle: whole numbers must have at most ${LONGEST} bytes, got ${count} at byte ${at}`,
      );
    }
    let value = 0n;
    take(count).forEach((b, i) => {
      value |= BigInt(b) << BigInt(8 * i);
    });
    return Number(BigInt.asIntN(8 * Math.max(1, count), value));
  };
  const global = (name: string): Global => {
    if (!rules.allowed.has(name)) {
      throw new Error(
        `readPickle: refuses ${name}: only tensors, numbers, strings and containers are read, got a pickle that would run it`,
      );
    }
    return new Global(name);
  };
  const pop = (): unknown => {
    if (stack.length === 0) throw new Error(`readPickle: empty stack at byte ${at}`);
    return stack.pop();
  };
  const popToMark = (): unknown[] => {
    const from = stack.lastIndexOf(MARK);
    if (from < 0) throw new Error(`readPickle: no mark on the stack at byte ${at}`);
    const items = stack.splice(from);
    return items.slice(1);
  };
  const call = (callable: unknown, args: unknown): unknown => {
    if (!(callable instanceof Global)) throw new Error(`readPickle: refuses to call ${String(callable)}`);
    return rules.call({ callable: callable.name, args: args as unknown[] });
  };
  const setItems = (items: unknown[]): void => {
    const target = stack.at(-1);
    if (!(target instanceof Map)) throw new Error('readPickle: expected a dictionary to fill');
    for (let i = 0; i + 1 < items.length; i += 2) target.set(items[i], items[i + 1]);
  };
  const append = (items: unknown[]): void => {
    const target = stack.at(-1);
    if (!Array.isArray(target)) throw new Error('readPickle: expected a list to fill');
    for (const item of items) target.push(item);
  };
  const recall = (index: number): void => {
    if (!memo.has(index)) throw new Error(`readPickle: no memo ${index}`);
    stack.push(memo.get(index));
  };
  const float = (): number => {
    take(8);
    return view.getFloat64(at - 8, false);
  };
  const int32 = (): number => {
    take(4);
    return view.getInt32(at - 4, true);
  };

  const instructions: Record<number, () => void> = {
    128: () => void byte(), // PROTO
    149: () => void take(8), // FRAME
    40: () => void stack.push(MARK),
    48: () => void pop(),
    78: () => void stack.push(null),
    136: () => void stack.push(true),
    137: () => void stack.push(false),
    74: () => void stack.push(int32()),
    75: () => void stack.push(byte()),
    77: () => void stack.push(byte() + 256 * byte()),
    138: () => void stack.push(long(byte())),
    139: () => void stack.push(long(uint32())),
    71: () => void stack.push(float()),
    85: () => void stack.push(text(byte())),
    84: () => void stack.push(text(uint32())),
    88: () => void stack.push(text(uint32())),
    140: () => void stack.push(text(byte())),
    125: () => void stack.push(new Map()),
    93: () => void stack.push([]),
    41: () => void stack.push([]), // EMPTY_TUPLE
    116: () => void stack.push(popToMark()),
    133: () => void stack.push([pop()]),
    134: () => void stack.push([pop(), pop()].reverse()),
    135: () => void stack.push([pop(), pop(), pop()].reverse()),
    97: () => append([pop()]),
    101: () => append(popToMark()),
    115: () => setItems([pop(), pop()].reverse()),
    117: () => setItems(popToMark()),
    113: () => void memo.set(byte(), stack.at(-1)),
    114: () => void memo.set(uint32(), stack.at(-1)),
    148: () => void memo.set(memo.size, stack.at(-1)),
    104: () => recall(byte()),
    106: () => recall(uint32()),
    99: () => void stack.push(global(`${line()}.${line()}`)),
    147: () => {
      const [name, module] = [pop(), pop()];
      stack.push(global(`${String(module)}.${String(name)}`));
    },
    82: () => {
      const args = pop();
      stack.push(call(pop(), args));
    },
    98: () => void pop(), // BUILD: attributes of a container, such as a state dict's version notes
    81: () => void stack.push(rules.load({ persistent: pop() })),
  };

  for (;;) {
    const code = byte();
    if (code === 0x2e) return { value: pop(), end: at };
    const run = instructions[code];
    if (run === undefined) {
      throw new Error(`readPickle: refuses instruction 0x${code.toString(16)} at byte ${at - 1}`);
    }
    run();
  }
}
