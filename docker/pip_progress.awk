# Shows on one line how far an installation by pip is; where it fails, what pip said last.
/^Collecting / { count++; printf "\r  %d of %d packages: %-40.40s", count, total, $2; fflush() }
/^Installing collected/ { printf "\r  installing %d packages, most of a minute%20s", count, ""; fflush() }
{ last[NR % 20] = $0 }
/^pip failed$/ {
    printf "\n"
    for (at = NR - 19; at < NR; at++) if (at > 0) print last[at % 20]
    failed = 1
}
END { if (!failed) printf "\r  %d packages installed%40s\n", count, ""; exit failed }
