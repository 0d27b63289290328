#!/usr/bin/env python3
"""for_authors.py DIRECTORY FILE...: the protocol as authors of other languages want it, with protobuf's own well-known types in the place
of their twins and without the lite runtime."""
import os
import re
import sys


def rewritten(text):
    used = sorted(set(re.findall(r'drover\.known\.(\w+)', text)))
    imports = ''.join(f'import "google/protobuf/{name.lower()}.proto";\n' for name in used)
    text = text.replace('drover.known.', 'google.protobuf.').replace('import "known.proto";\n', imports)
    return text.replace('option optimize_for = LITE_RUNTIME;\n', '')


def main():
    for path in sys.argv[2:]:
        with open(path, encoding='utf-8') as file:
            text = rewritten(file.read())
        with open(os.path.join(sys.argv[1], os.path.basename(path)), 'w', encoding='utf-8') as file:
            file.write(text)


if __name__ == '__main__':
    main()
