export { PicturePlace } from './picture-place.ts';
export { type Repair, repairImage } from './repair-image.ts';
export { type CheckedImage, checkImages } from './verify-batch.ts';
