process.stderr.write("haproxy-fleet: no commands yet\n");
