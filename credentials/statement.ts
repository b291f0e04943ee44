import {
  ActionAssertion,
  ActionType,
  type Assertion,
  AssertionLabels,
  DigitalSourceType,
  MetadataAssertion,
  MetadataNamespace,
} from '@trustnxt/c2pa-ts/manifest';
import project from '../package.json' with { type: 'json' };

/** What a credential says about how a picture was made. */
export type Statement = {
  model: { name: string; digest: string; license: string };
  renderKey: string;
  /** The shared object whose bytes were signed. */
  object: { bytes: number; crc32c: string };
  /** If the batch's owner wants it included. */
  prompt?: string | undefined;
  negativePrompt?: string | undefined;
};

/** What may be done with a picture after rendering, in the order in which a credential lists it. */
const CHANGES = {
  /** Its background was removed. */
  cutOut: ActionType.C2paEdited,
  resized: ActionType.C2paResized,
  trimmed: ActionType.C2paCropped,
  converted: ActionType.C2paConverted,
} as const;

export type Change = keyof typeof CHANGES;

/** The namespace in the picture's XMP. */
const OWN = 'urn:pixart-batch:image:1#';
const IPTC = MetadataNamespace.IPTCExtension;

/** Field names: C2PA's if it has one, else IPTC's (2025.1), else those of the picture's XMP. */
const FIELDS = {
  modelName: [IPTC, 'AISystemUsed'],
  modelDigest: [IPTC, 'AISystemVersionUsed'],
  prompt: [IPTC, 'AIPromptInformation'],
  negativePrompt: [OWN, 'negativePrompt'],
  modelLicense: [OWN, 'bundleLicense'],
  renderKey: [OWN, 'renderKey'],
  objectBytes: [OWN, 'objectBytes'],
  objectCrc32c: [OWN, 'objectCrc32c'],
} as const;

export function assertionsOf({ model, object, ...others }: Statement, changes: readonly Change[] = []): Assertion[] {
  const made = new ActionAssertion();
  made.label = AssertionLabels.actionsV2;
  made.actions = [
    {
      action: ActionType.C2paCreated,
      digitalSourceType: DigitalSourceType.TrainedAlgorithmicMedia,
      softwareAgent: { name: model.name, version: model.digest },
    },
    ...changes.map((change) => ({
      action: CHANGES[change],
      softwareAgent: { name: project.name, version: project.version },
    })),
  ];
  const values = {
    ...others,
    modelName: model.name,
    modelDigest: model.digest,
    modelLicense: model.license,
    objectBytes: object.bytes,
    objectCrc32c: object.crc32c,
  };
  const metadata = new MetadataAssertion();
  metadata.label = AssertionLabels.cawgMetadata;
  metadata.namespacePrefixes[OWN] = 'pixart';
  metadata.entries = Object.entries(FIELDS).flatMap(([field, [namespace, name]]) => {
    const value = values[field as keyof typeof values];
    return value === undefined ? [] : [{ namespace, name, value }];
  });
  return [made, metadata];
}

/** The statement in the assertions; `null` if they are not ours. */
export function statementOf(assertions: readonly Assertion[]): Statement | null {
  const entries = assertions.flatMap((assertion) => (assertion instanceof MetadataAssertion ? assertion.entries : []));
  const found = (field: keyof typeof FIELDS): string | undefined => {
    const [namespace, name] = FIELDS[field];
    const value = entries.find((entry) => entry.namespace === namespace && entry.name === name)?.value;
    return value === undefined ? undefined : String(value);
  };
  const needed = ['modelName', 'modelDigest', 'modelLicense', 'renderKey', 'objectBytes', 'objectCrc32c'] as const;
  const [name, digest, license, renderKey, bytes, crc32c] = needed.map(found);
  if (!name || !digest || license === undefined || !renderKey || !bytes || !crc32c) return null;
  return {
    model: { name, digest, license },
    renderKey,
    object: { bytes: Number(bytes), crc32c },
    prompt: found('prompt'),
    negativePrompt: found('negativePrompt'),
  };
}
