#!/bin/sh
# Makes the embedded fonts again: ./subset.sh SOURCE_DIR, with `pyftsubset` (fonttools) on the path.
set -eu
source_dir=${1:?usage: subset.sh SOURCE_DIR}
cd "$(dirname "$0")"

subset() {
    pyftsubset "$source_dir/$1.ttf" --output-file="$1.ttf" --unicodes="$2" \
        --layout-features=ccmp,locl,kern,mark,mkmk,liga,smcp,c2sc \
        --no-hinting --notdef-outline --no-prune-unicode-ranges \
        --name-IDs='*' --name-languages='*' --drop-tables+=DSIG
}

letters=U+0020-007E,U+00A0-036F,U+0370-052F,U+1D00-1DBF,U+1E00-1FFF
letters=$letters,U+2000-206F,U+2070-20CF,U+2100-218F,U+2C60-2C7F,U+A720-A7FF,U+FB00-FB06,U+FFFD
for style in Regular Bold Italic BoldItalic; do
    subset "NotoSans-$style" "$letters"
done
subset NotoSansMath-Regular U+2190-22FF,U+27F0-27FF
subset NotoSansSymbols-Regular U+2460-24FF,U+2600-26FF
subset NotoSansSymbols2-Regular U+2300-23FF,U+25A0-27BF,U+1F300-1F6FF
