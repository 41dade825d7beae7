module geerpc/bench

go 1.18
