/** Prints the widths of captions in pixels. */
import { drawCaption } from '../../images/caption.ts';

const style = { width: 500, fontSize: 13, lines: 1, colour: '#444', background: '#f4f4f4' };
const drawn = await Promise.all(process.argv.slice(2).map((text) => drawCaption(text, style)));
process.stdout.write(JSON.stringify(drawn.map((caption) => caption?.width)));
