import { type Document, isScalar, Scalar, visit } from 'yaml';

export interface YamlFault {
  /** Characters from the beginning of the text. */
  readonly offset: number;
  readonly message: string;
}

/**
 * What YAML reads otherwise than its author may have meant, in a text that follows YAML's grammar. An alias that nothing
 * bears is replaced by its text, so that the rest can be read.
 */
export function yamlFaults(document: Document): YamlFault[] {
  const faults: YamlFault[] = [];
  const found = (node: Scalar, message: string) => faults.push({ offset: node.range?.[0] ?? 0, message });
  visit(document, {
    Alias(_, alias) {
      if (alias.resolve(document)) return undefined;
      const text = new Scalar(`*${alias.source}`);
      text.range = alias.range ?? null;
      found(text, `${text.value} is no alias of anything: a text that begins with * needs quotes`);
      return text;
    },
    Pair(_, { key }) {
      if (isScalar(key) && key.value === '__proto__') found(key, 'nothing here can be named __proto__');
    },
    Scalar(_, scalar) {
      const { value, source } = scalar;
      if (typeof value === 'number' && source !== String(value))
        found(scalar, `${source} is read as the number ${value}: write that, or put a text into quotes`);
    },
  });
  return faults;
}
