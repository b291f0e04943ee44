/** Files that file managers, consoles, editors, sync clients and people leave behind. */
export const FOREIGN_NAMES = [
  ...['', '.DS_Store', '._1-00000.jsonl', 'Thumbs.db', 'desktop.ini', '.nfs000000000001', '.directory', 'Icon\r'],
  ...[
    '1-00000.jsonl~',
    '.1-00000.jsonl.swp',
    '#1-00000.jsonl#',
    '1-00000.jsonl.bak',
    '1-00000.jsonl.gz',
    '1-00000.jsonl.tmp',
  ],
  ...[
    '1-00000 (1).jsonl',
    'Copy of 1-00000.jsonl',
    '1-00000 copy.jsonl',
    '1-00000.JSONL',
    '1-0.jsonl',
    '01-00000.jsonl',
  ],
  ...[
    '0-00000.jsonl',
    '1-000000.jsonl',
    '-1-00000.jsonl',
    '1--00001.jsonl',
    '1-00000.jsonl ',
    '1e1-00000.jsonl',
    '١-00000.jsonl',
  ],
  ...[
    '1-00000.jsonl/',
    'old/1-00000.jsonl',
    'old/',
    '1-00000.jsonl/1-00000.jsonl',
    '1-00000',
    'notes.txt',
    '.1-00000.jsonl.icloud',
  ],
];
