import { createHash, X509Certificate } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { getCACertificates } from 'node:tls';

/**
 * Writes the authorities that this machine trusts (its own store, NODE_EXTRA_CA_CERTS and Node's list)
 * for a Java to read: a fetched runtime knows only the public ones, and behind a company's TLS proxy it
 * would trust nobody.
 */
export async function writeTrustStore(file: string): Promise<void> {
  const pems = [...getCACertificates('default'), ...getCACertificates('system')];
  const certificates = new Map(
    pems.map((pem) => {
      const { fingerprint256, raw } = new X509Certificate(pem);
      return [fingerprint256, raw];
    }),
  );
  await writeFile(file, javaKeyStore([...certificates.values()]));
}

/** Java's key store format, "JKS", version 2, as in OpenJDK's sun.security.provider.JavaKeyStore. */
export function javaKeyStore(certificates: Buffer[], password = 'changeit'): Buffer {
  const entries = certificates.flatMap((certificate, index) => [
    int32(2), // a trusted certificate
    text(`authority-${index}`),
    Buffer.alloc(8), // its date, which nobody reads
    text('X.509'),
    int32(certificate.length),
    certificate,
  ]);
  const store = Buffer.concat([int32(0xfeedfeed), int32(2), int32(certificates.length), ...entries]);
  const secret = Buffer.from(password, 'utf16le').swap16();
  const digest = createHash('sha1').update(secret).update('Mighty Aphrodite').update(store).digest();
  return Buffer.concat([store, digest]);
}

function int32(value: number): Buffer {
  const buffer = Buffer.alloc(4);
  buffer.writeUInt32BE(value);
  return buffer;
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value);
  const length = Buffer.alloc(2);
  length.writeUInt16BE(bytes.length);
  return Buffer.concat([length, bytes]);
}
