# gc.auto=0: a gc in the background would outlive the script.
set -eu
git config --global gc.auto 0
git config --global pack.threads 2
git init -q -b main origin
cd origin

write_files() {
    mawk -v round="$1" 'BEGIN {
        for (file = 0; file < 60; file++) {
            path = "file" file ".txt"
            for (line = 0; line < 40 + file; line++)
                print (line % 17 == round % 17 ? "round " round : "line " line), file * line > path
        }
    }'
}

for round in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15; do
    write_files "$round"
    git add .
    git commit -q -m "round $round"
    git tag "tag$round"
done
git checkout -q -b side HEAD~5
echo "only here" > side.txt
git add side.txt
git commit -q -m "side"
git checkout -q main
git merge -q --no-edit side
git gc -q --aggressive --prune=now
git fsck --full --strict
git count-objects -v | grep -E '^(count|in-pack|packs|garbage)'
cd ..
git clone -q "file://$PWD/origin" copy
cd copy
git fsck --full
git rev-parse HEAD 'HEAD^{tree}'
git cat-file --batch-all-objects --batch-check | cksum
git log --stat --format='%H %an %s' | cksum
git blame file7.txt | cksum
git diff -M -C --patience tag1 tag15 | cksum
git archive --format=tar HEAD | cksum
git repack -q -a -d -f --depth=20 --window=20
git fsck --full
echo "end of workload"
