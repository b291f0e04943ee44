import type { Column } from '../../domain/parameters.ts';

/** Our columns in German, French and Spanish, in lower case and without spaces, so that a hint can be given. */
export const TRANSLATED: [meant: Column[], names: string][] = [
  [['size'], 'größe grösse groesse bildgröße taille tamaño tamano'],
  [['width'], 'breite largeur ancho anchura'],
  [['height'], 'höhe hoehe hauteur alto altura'],
  [['aspect'], 'seitenverhältnis seitenverhaeltnis proporción proporcion'],
  [['variants'], 'anzahl stückzahl stueckzahl menge varianten quantité quantite variante cantidad variantes'],
  [['steps'], 'schritte étapes etapes pasos'],
  [['guidance'], 'führung fuehrung guidage orientación orientacion'],
  [['seed'], 'startwert graine semilla'],
  [['priority'], 'priorität prioritaet priorité priorite prioridad'],
  [
    ['id'],
    'kennung bezeichner identifiant identificador dateiname bildname nomdefichier nomdufichier archivo nombredearchivo',
  ],
];

/** Names that may stand for the prompt, if there is no such column. */
export const TRANSLATED_PROMPTS =
  'beschreibung bildbeschreibung beschriftung légende legende descripción descripcion leyenda';
