/** Digits after the point of every amount, as in the database and in the events. */
export const MONEY_SCALE = 4;

/** A price as a request may give it: no sign, no exponent, at most decimal(18,4). */
export const PRICE_PATTERN = /^(0|[1-9]\d{0,13})(\.\d{1,4})?$/;

/** A decimal string as a whole number of ten-thousandths. */
export function toUnits(decimal: string): bigint {
  const [whole = '0', fraction = ''] = decimal.split('.');
  return BigInt(whole + fraction.padEnd(MONEY_SCALE, '0'));
}

/** A number of ten-thousandths, zero or more, as a decimal string with four fraction digits. */
export function fromUnits(units: bigint): string {
  const digits = units.toString().padStart(MONEY_SCALE + 1, '0');
  return `${digits.slice(0, -MONEY_SCALE)}.${digits.slice(-MONEY_SCALE)}`;
}
