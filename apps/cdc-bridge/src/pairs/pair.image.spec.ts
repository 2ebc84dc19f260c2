import { Decimal128 } from 'mongodb';
import { describe, expect, it } from 'vitest';
import { type Image, ImageFields } from './pair.image.js';

const two = new ImageFields(['name', 'balance']);
const three = new ImageFields(['name', 'balance', 'level']);
const ann = { name: 'Ann', balance: 1.5 };
const imageOf = (fields: ImageFields, document: object) => fields.imageOf(document) as Image;

describe('an image', () => {
  it('is of the mapped fields only, in the order of the pair', () => {
    const image = imageOf(two, { balance: Decimal128.fromString('1.50'), other: 1, name: 'Ann' });
    expect(image).toMatchObject({ fields: ['sAnn', 'n15e-1'], hash: imageOf(two, ann).hash });
    expect(image.hash).not.toBe(imageOf(two, { ...ann, name: 'Bob' }).hash);
    expect(two.imageOf(null)).toBeNull();
  });

  it('takes no inherited property for a field', () => {
    const fields = new ImageFields(['constructor', '__proto__']);
    expect(imageOf(fields, {}).hash).toBe(imageOf(fields, { constructor: null }).hash);
  });

  it('keeps the instant that `newest` compares', () => {
    const fields = new ImageFields(['at'], 'at');
    expect(imageOf(fields, { at: new Date(5) }).instant).toBe(5);
    expect(imageOf(fields, { at: 'yesterday' }).instant).toBeNull();
  });
});

describe('an image, compared with a hash of fewer fields', () => {
  const before = imageOf(two, ann).hash;

  it('is the same, whatever the fields hold that were added', () => {
    const image = imageOf(three, { ...ann, level: 9 });
    expect(image.widthOf(before)).toBe(2);
    expect(image.like(before)).toBe(before);
    expect(image.hash).not.toBe(before);
  });

  it('is another where one of those fields changed', () => {
    expect(imageOf(three, { ...ann, balance: 2, level: 9 }).like(before)).not.toBe(before);
    const nulls = imageOf(two, { name: 'Ann' }).hash;
    expect(imageOf(two, ann).like(nulls)).not.toBe(nulls);
  });

  it('begins with none', () => {
    const none = imageOf(new ImageFields([]), {}).hash;
    expect(imageOf(two, ann).widthOf(none)).toBe(0);
    expect(imageOf(two, ann).like(none)).toBe(none);
  });
});

describe('an image, compared with a hash of other fields', () => {
  it('cannot tell', () => {
    const renamed = imageOf(new ImageFields(['called', 'balance']), ann).hash;
    expect([imageOf(three, ann).widthOf(renamed), imageOf(three, ann).like(renamed)]).toEqual([
      undefined,
      undefined,
    ]);
  });
});
