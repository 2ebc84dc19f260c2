declare module 'snappyjs' {
  /** @throws Error when the bytes are not valid snappy, or claim to hold more than `maxLength` */
  export function uncompress(compressed: Buffer, maxLength?: number): Buffer;
  export function compress(uncompressed: Buffer): Buffer;
}
