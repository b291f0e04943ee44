import { closestMatch } from 'leven';
import { COLUMNS, type Column } from '../../domain/parameters.ts';
import { quoted } from '../../domain/printable.mjs';
import { shellQuoted } from '../../domain/shell-quoted.ts';
import { TRANSLATED, TRANSLATED_PROMPTS } from '../notes/translated-columns.ts';
import { foldedName } from './folded-name.ts';

/** A hint about a column that has no effect, although its name suggests one. */
export type ColumnHint = {
  found: string;
  /** The columns of ours that it may have been meant as; empty if there is no equivalent here. */
  meant: Column[];
  /** Why it has no effect, if there is no equivalent. */
  because: string | null;
};

/**
 * What other tools call our columns, without case, spaces, `-` and `_`. From: diffusers
 * (`PixArtSigmaPipeline.__call__`); AUTOMATIC1111 (modules/processing.py, scripts/prompts_from_file.py, the columns of
 * its log.csv, the words under its images); InvokeAI (core metadata); SwarmUI (Text2Image/T2IParamTypes.cs); ComfyUI
 * (inputs of KSampler, EmptyLatentImage, SaveImage); Fooocus (modules/meta_parser.py); Draw Things (its configuration);
 * Midjourney's parameters; what Replicate, Stability AI and OpenAI call them in their APIs.
 */
const MEANT: [meant: Column[], names: string][] = [
  [['prompt'], 'positiveprompt textg textl'],
  [
    ['negative_prompt'],
    'negative negativ negprompt neg promptnegative negativetext negprompts negativeprompts uncond unconditional undesired ' +
      'undesiredcontent exclude rawnegativeprompt negatives nprompt uc unwanted avoid',
  ],
  [
    ['guidance'],
    'guidancescale cfg cfgscale cfgs cfgvalue cfgscalevalue guidancestrength promptguidance condscale unconditionalguidancescale',
  ],
  [
    ['steps'],
    'numinferencesteps inferencesteps samplingsteps numsteps stepcount stepscount numberofsteps ddimsteps samplesteps iterations',
  ],
  [['aspect'], 'aspectratio ratio ar aspectratiosselection orientation'],
  [
    ['width', 'height'],
    'resolution resolutions dimension dimensions imagesize imagedimensions imageresolution targetsize outputsize',
  ],
  [['width'], 'w imagewidth targetwidth targetimagewidth outputwidth pixelwidth'],
  [['height'], 'h imageheight targetheight targetimageheight outputheight pixelheight'],
  [['seed'], 'noiseseed randomseed rngseed seednumber manualseed initialseed seedvalue'],
  [
    ['variants'],
    'count images n niter batchcount batchsize batches numimages numimagesperprompt numoutputs numsamples nsamples samples imagenumber ' +
      'imagecount numberofimages repeat repeats quantity qty copies',
  ],
  [['id'], 'name filename filenameprefix file imagename outputname outputfile outputfilename outputpath slug'],
];

const NO_EFFECT: [because: string, names: string][] = [
  [
    'the bundle has its sampler',
    'sampler samplername samplerindex samplingmethod scheduler schedulername scheduletype eta sigmas timesteps sigmamin sigmamax ' +
      'schurn snoise stmin stmax ensd shift algorithmtype noisescheduler',
  ],
  [
    '--bundle chooses the model, for all rows',
    'model modelname modelhash checkpoint ckpt ckptname sdmodel sdmodelname sdmodelcheckpoint sdmodelhash basemodel modelid vae vaename ' +
      'refiner refinermodel refinerswitch refinercheckpoint refinerswitchat',
  ],
  [
    'there are no LoRAs, embeddings or control nets',
    'lora loras loracombined loraname loraweight loraweights lorascale lorahashes strengthmodel strengthclip embedding embeddings textualinversion ' +
      'controlnet controlnets controls ipadapter ipadapters hypernetwork hypernet',
  ],
  [
    'every image starts from noise, not from another image',
    'initimage initimages image inputimage sourceimage imageprompt mask maskimage strength denoise denoisingstrength promptstrength ' +
      'initimagecreativity imagestrength iw sref cref',
  ],
  ['the model has no CLIP', 'clipskip clipstopatlayer clipguidancepreset'],
  [
    'size, width and height determine how large an image is',
    'hires hiresfix enablehr hrscale hrupscaler hrsecondpasssteps hiresupscale hiresupscaler hiressteps upscale upscaler upscaleby ' +
      'tiling tile seamless restorefaces facerestoration sidelength megapixels',
  ],
  [
    'styles are words of the prompt here',
    'style styles stylepreset styletype stylize chaos weird performance sharpness presets positivestyleprompt negativestyleprompt',
  ],
  [
    'one seed makes the noise',
    'subseed subseedstrength variationseed variationseedstrength seedresizefromw seedresizefromh seedmode',
  ],
  [
    'only guidance steers it',
    'cfgrescale cfgrescalemultiplier guidancerescale admguidance adaptivecfg truecfgscale pagscale freeu',
  ],
  [
    '--image-format and --quality set it, for all rows',
    'format quality outputformat fileformat imageformat outputquality',
  ],
];

type Meaning = Omit<ColumnHint, 'found'>;

const meanings = new Map<string, Meaning>(
  [
    ...[...MEANT, ...TRANSLATED].map(([meant, names]) => ({ meant, because: null, names })),
    ...NO_EFFECT.map(([because, names]) => ({ meant: [], because, names })),
  ].flatMap(({ names, ...meaning }) => names.split(' ').map((name) => [name, meaning] as const)),
);

/** Removes a number at the end, as in "LoRA 2". */
const squeezed = (name: string): string =>
  name
    .normalize('NFC')
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}]+/gu, '')
    .replace(/\d+$/, '');

/** What a column or flag of another tool means here; `undefined` for an unknown name. */
export const foreignMeaning = (name: string): Meaning | undefined => meanings.get(squeezed(name));

/** Such as "Aspect Ratio (w:h)" or "Size [px]". */
const withoutUnit = (name: string): string => name.replace(/[([][^()[\]]*[)\]]\s*$/, '').trim();

/** Other flags in a list of prompts. */
const OTHER_FLAG = { meant: [], because: 'such a flag steers another tool' };

const PROMPT_NAMES = `positiveprompt positive positivetext rawprompt textprompt caption text description prompttext prompts ${TRANSLATED_PROMPTS}`;

/** The column that was probably meant as the prompt, if there is none of that name. */
export const promptColumn = (names: readonly string[]): string | undefined => {
  const known = PROMPT_NAMES.split(' ');
  return names.find((name) => misspelt(name) === 'prompt') ?? names.find((name) => known.includes(squeezed(name)));
};

/** How many letters of a name may be wrong, missing or extra; fewer in short names, or "no" would be close to "id". */
const typos = (name: string): number => Math.min(2, Math.floor(name.length / 3));

const misspelt = (name: string): Column | undefined =>
  closestMatch(foldedName(name), COLUMNS, { maxDistance: typos(foldedName(name)) }) as Column | undefined;

/** Hints about unknown columns that other tools know, or that are spelt almost like one of ours. */
export function columnHints(names: readonly string[]): ColumnHint[] {
  return names.flatMap((found) => {
    const name = withoutUnit(found);
    const meaning = foreignMeaning(found) ?? foreignMeaning(name);
    if (meaning !== undefined) return [{ found, ...meaning }];
    if (/^--[a-z][\w-]*$/i.test(found)) return [{ found, ...OTHER_FLAG }];
    const meant = misspelt(name);
    // A column with one of our names is carried over if a mapping names another one in its place.
    return meant === undefined || meant === foldedName(found) ? [] : [{ found, meant: [meant], because: null }];
  });
}

/** A hint as people read it. */
export function columnHintText({ found, meant, because }: ColumnHint): string {
  const name = quoted(found);
  if (because !== null) return `column ${name} has no effect here and is carried over: ${because}`;
  const [only, ...more] = meant;
  const question = `column ${name} has no effect and is carried over; did you mean ${meant.join(' and ')}?`;
  if (only === undefined || more.length > 0) return question;
  return `${question} Map it with --column ${mappingText(only, found)}`;
}

/** A mapping, quoted for a shell. */
export function mappingText(column: Column, theirs: string): string {
  const mapping = `${column}=${theirs}`;
  return /^[\w.=-]+$/.test(mapping) ? mapping : shellQuoted(mapping);
}
