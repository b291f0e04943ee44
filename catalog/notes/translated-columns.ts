import type { Column } from '../../domain/parameters.ts';

/** What our columns are called in German, French and Spanish, in small letters and without spaces, so that a table that says so is asked about. */
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

/** Which may be meant for the prompt, where no column is called so. */
export const TRANSLATED_PROMPTS =
  'beschreibung bildbeschreibung beschriftung légende legende descripción descripcion leyenda';
