import fc from 'fast-check';
import { expect, test } from 'vitest';
import { imageMetadata } from '../../images/properties.ts';
import { escapeXml } from '../../images/xml.ts';
import { fromXmp, toXmp } from '../../images/xmp.ts';
import { bundle, sampleJob } from './sample-job.ts';

const anyText = fc.string({ unit: 'binary' });
const writable = (text: string) => escapeXml(text).replace(/&#?\w+;/g, '') === text.replace(/[&<>"'\r]/g, '');

test('returns every text that XML can hold', () => {
  fc.assert(
    fc.property(anyText.filter(writable), anyText.filter(writable), (prompt, negativePrompt) => {
      const metadata = imageMetadata({ ...sampleJob, prompt, negativePrompt }, bundle);
      expect(fromXmp(toXmp(metadata))).toEqual(metadata);
    }),
  );
});

test.each([
  '&amp;',
  '&#65;',
  '<!--x-->',
  ']]>',
  '<![CDATA[x]]>',
  '  ',
  '\n',
  '\r\n',
  '&lt;',
  '<?x?>',
  '__proto__',
  '%',
  '0012',
])('returns %j unchanged', (prompt) => {
  const metadata = imageMetadata({ ...sampleJob, prompt }, bundle);
  expect(fromXmp(toXmp(metadata))).toEqual(metadata);
});

test('contains how a picture was decoded if that was set', () => {
  const metadata = imageMetadata({ ...sampleJob, decode: 'whole' }, bundle);
  expect(fromXmp(toXmp(metadata))).toMatchObject({ decode: 'whole' });
  expect(fromXmp(toXmp(imageMetadata(sampleJob, bundle)))?.decode).toBeUndefined();
});

test('replaces what XML cannot hold by U+FFFD', () => {
  expect(escapeXml('a\0b\u0007c\ud800d\uffffe')).toBe('a\ufffdb\ufffdc\ufffdd\ufffde');
});

test('finds nothing in a packet with a missing or wrong property', () => {
  const xmp = toXmp(imageMetadata(sampleJob, bundle));
  expect(fromXmp(xmp.replace(/<pixart:seed>.*<\/pixart:seed>/, ''))).toBeNull();
  expect(fromXmp(xmp.replace('<pixart:size>256', '<pixart:size>300'))).toBeNull();
  expect(fromXmp(xmp.replace(/<pixart:seed>.*<\/pixart:seed>/, '<pixart:seed></pixart:seed>'))).toBeNull();
  expect(fromXmp(xmp.replace(/<pixart:seed>.*<\/pixart:seed>/, '<pixart:seed>seven</pixart:seed>'))).toBeNull();
  expect(fromXmp('no XML at all <')).toBeNull();
});
