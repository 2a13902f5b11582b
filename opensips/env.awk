# Fills environment variables into opensips.cfg: ${NAME}, ${NAME:-default} (defaults may hold variables themselves), and
# `#?NAME ` before a line that counts only when NAME is set. A variable that is neither set nor has a default stops it.
/^#[?][A-Z_]+ / {
	name = substr($1, 3)
	if (ENVIRON[name] == "") next
	sub(/^#[?][A-Z_]+ /, "")
}
/^[ \t]*#/ { print; next }
{
	while (match($0, /[$][{][A-Z_]+(:-[^${}]*)?[}]/)) {
		inner = substr($0, RSTART + 2, RLENGTH - 3)
		at = index(inner, ":-")
		name = at ? substr(inner, 1, at - 1) : inner
		value = ENVIRON[name]
		if (value == "" && !at) {
			print "opensips.cfg: " name " is not set" > "/dev/stderr"
			exit 1
		}
		if (value == "") value = substr(inner, at + 2)
		$0 = substr($0, 1, RSTART - 1) value substr($0, RSTART + RLENGTH)
	}
	print
}
