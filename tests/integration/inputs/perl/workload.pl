# Deterministic: every number comes from the generator below, and every hash is printed sorted.
use strict;
use warnings;

my $state = 12345;

sub next_number {
    my ($limit) = @_;
    $state = ($state * 1103515245 + 12345) % 2147483648;
    return int($state / 65536) % $limit;
}

sub digest {
    my ($sum, $text) = (0, @_);
    $sum = ($sum * 31 + $_) % 1000000007 for unpack 'C*', $text;
    return $sum;
}

sub grow_and_shrink_hashes {
    my %by_word;
    for my $round (1 .. 60_000) {
        my $word = join '', map { chr(97 + next_number(26)) } 1 .. 3;
        push @{ $by_word{$word} }, $round;
        delete $by_word{$word} if next_number(5) == 0;
    }
    my $line = join ',', map { "$_=" . scalar @{ $by_word{$_} } } sort keys %by_word;
    printf "hashes %d %d\n", scalar keys %by_word, digest($line);
}

sub match_and_replace {
    my $text = join ' ', map { sprintf 'key%d=%s;', $_, 'v' x next_number(40) } 1 .. 8000;
    my %length_of;
    $length_of{$1} = length $2 while $text =~ /key(\d+)=(v*);/g;
    (my $doubled = $text) =~ s/(v+)/$1 . uc $1/ge;
    my @fields = split /[ ;=]+/, $doubled;
    printf "regex %d %d %d\n", scalar keys %length_of, scalar @fields, digest($doubled);
}

sub sort_records {
    my @records = map { { id => $_, score => next_number(1000), name => 'n' . next_number(99) } }
        1 .. 20_000;
    my @sorted = sort { $a->{score} <=> $b->{score} || $a->{name} cmp $b->{name}
            || $a->{id} <=> $b->{id} } @records;
    printf "sort %d\n", digest(join ',', map { sprintf '%05d:%s', $_->{id}, $_->{name} } @sorted);
}

sub build_strings {
    my $text = '';
    $text .= sprintf '%-12s|%08x|%.3f;', "item$_", next_number(1 << 15), $_ / 7 for 1 .. 20_000;
    substr($text, next_number(length($text) - 100), 50) = 'replacement' for 1 .. 200;
    printf "strings %d %d\n", length $text, digest(scalar reverse $text);
}

sub nest_closures {
    my @counters = map { my $n = $_; sub { return $n += shift } } 1 .. 5000;
    my $total = 0;
    $total += $counters[ next_number(5000) ]->(next_number(10)) for 1 .. 50_000;
    my $list;
    $list = [ $list, 'x' x next_number(200) ] for 1 .. 3000;
    my $depth = 0;
    while ($list) { $depth++; $list = $list->[0]; }
    printf "closures %d %d\n", $total, $depth;
}

grow_and_shrink_hashes();
match_and_replace();
sort_records();
build_strings();
nest_closures();
print "end of workload\n";
