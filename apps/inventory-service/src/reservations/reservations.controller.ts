import { ProblemException } from '@millrace/service-defaults';
import { Controller, Get, Param } from '@nestjs/common';
import { ApiNotFoundResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import {
  orderId as orderIdSchema,
  type ReservationView,
  reservationView,
  toReservationView,
} from './reservation.api.js';
import { ReservationsRepository } from './reservations.repository.js';

@ApiTags('reservations')
@Controller('reservations')
export class ReservationsController {
  constructor(private readonly reservations: ReservationsRepository) {}

  @Get(':orderId')
  @ApiOperation({ summary: "What became of an order's stock" })
  @ApiOkResponse({ standardSchema: reservationView })
  @ApiNotFoundResponse({ description: 'No event of this order was handled yet' })
  async get(@Param('orderId', { schema: orderIdSchema }) orderId: string): Promise<ReservationView> {
    const reservation = await this.reservations.find(orderId);
    if (!reservation) {
      throw new ProblemException({
        status: 404,
        code: 'RESERVATION_UNKNOWN',
        detail: `no event of order ${orderId} was handled yet`,
      });
    }
    return toReservationView(reservation);
  }
}
