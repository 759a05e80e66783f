# File times and owners are fixed, so that even the archives must be the same byte for byte.
set -eu
mawk -f make_tree.awk
find tree -type f | sort | xargs cat | cksum
find tree -type f -size +1 -name '*7' -printf '%P %s\n' | sort | cksum
tar --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner --mode=go=rX,u+rw -cf tree.tar tree
cksum tree.tar
gzip -n -9 -k tree.tar
xz -T2 -2 -k --block-size=200KiB tree.tar
cksum tree.tar.gz tree.tar.xz
mkdir copy other
tar -C copy -xzf tree.tar.gz
tar -C other -xJf tree.tar.xz
diff -r copy/tree other/tree
diff copy/tree/folder1/file1 other/tree/folder2/file2 | cksum
sort -S 2M --parallel=2 -k1,1n -k2,2 large | cksum
sort -u -t' ' -k2,2 large | cksum
grep -rE 'word(1|22|33)[0-9]? ' tree | sort | cksum
grep -cP '^(\d)\d*\1 ' large
sed -E 's/([0-9]+) (word[0-9]+)/\2 \1/; s/line/LINE/' large | cksum
echo "end of workload"
