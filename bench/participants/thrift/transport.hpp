// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// The transports that Thrift's two sides can agree on.

#ifndef BENCH_THRIFT_TRANSPORT_HPP
#define BENCH_THRIFT_TRANSPORT_HPP

#include <thrift/transport/TBufferTransports.h>

#include <cstdint>    // uint32_t
#include <memory>     // make_shared, shared_ptr
#include <stdexcept>  // invalid_argument
#include <string>     // string
#include <utility>    // move

namespace bench_thrift {

using Transport = apache::thrift::transport::TTransport;

// Thrift 0.17 counts what it has read out of a transport's buffer, and ends the connection when
// that exceeds maxMessageSize (100 MiB, and no more than 2 GiB can be set), since nothing resets
// the count at the end of a message (THRIFT-5492). A second of large echoes gets there, so we reset
// it.
template <class Base>
class Lasting : public Base {
 public:
  using Base::Base;
  std::uint32_t readEnd() override {
    this->resetConsumedMessageSize();
    return Base::readEnd();
  }
};

// "buffered" has Thrift's default of 512 bytes, as its tutorial uses it; "buffered64k" shows what a
// user gains who finds out about the constructor's other argument.
inline std::shared_ptr<Transport> wrap(std::shared_ptr<Transport> socket, const std::string& mode) {
  using Buffered = Lasting<apache::thrift::transport::TBufferedTransport>;
  using Framed = Lasting<apache::thrift::transport::TFramedTransport>;
  if (mode.empty() || mode == "buffered") return std::make_shared<Buffered>(std::move(socket));
  if (mode == "buffered64k") return std::make_shared<Buffered>(std::move(socket), 64U * 1024);
  if (mode == "framed") return std::make_shared<Framed>(std::move(socket));
  throw std::invalid_argument("no such mode: " + mode + "; buffered, buffered64k or framed");
}

class TransportFactory : public apache::thrift::transport::TTransportFactory {
 public:
  explicit TransportFactory(std::string mode) : mode_(std::move(mode)) { wrap(nullptr, mode_); }
  std::shared_ptr<Transport> getTransport(std::shared_ptr<Transport> socket) override {
    return wrap(std::move(socket), mode_);
  }

 private:
  const std::string mode_;
};

}  // namespace bench_thrift

#endif  // BENCH_THRIFT_TRANSPORT_HPP
