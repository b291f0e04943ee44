export { contentFault, fileFault, pictureFault, type WantedPicture } from './fault.ts';
export { type Damaged, PicturePlace } from './picture-place.ts';
export { contentText } from './record.ts';
