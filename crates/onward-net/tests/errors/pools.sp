network pools {
    input x = rate(3, 8, 8)
    layer a = sum_pool(9, 2) from x
    layer b = average_pool(2) from x { stride = 65 }
    layer c = max_pool(2) from x { block = 4 }
    layer d = max_pool from x
    layer e = flatten(3) from x
    layer f = delay(0) from x
    layer g = delay(300) from x, d
}
