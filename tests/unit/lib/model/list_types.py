#!/usr/bin/env python3
"""The types that lib/model/codec_*.cc list, as a source file for every_type_test.cc: list_types.py OUTPUT CODEC_FILE..."""
import re
import sys

headers, types = [], []
for path in sys.argv[2:]:
    text = open(path, encoding='utf-8').read()
    headers += [name for name in re.findall(r'#include "(lib/model/[^"]+)"', text) if name not in headers and not name.endswith('.inc.h')]
    types += re.findall(r'^DROVER_MODEL_CODEC\((.+)\)', text, re.M)
lines = ['#include "tests/unit/lib/model/every_type.h"', '', *(f'#include "{name}"' for name in headers), '', 'namespace drover::model {', '',
         'const std::vector<Listed>& every_type() {', '  static const std::vector<Listed> all{']
lines += [f'    Listed::of<{name}>("{name}"),' for name in types]
lines += ['  };', '  return all;', '}', '', '}  // namespace drover::model', '']
with open(sys.argv[1], 'w', encoding='utf-8') as out:
    out.write('\n'.join(lines))
